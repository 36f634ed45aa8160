import { fstatSync } from 'node:fs';
import { extname } from 'node:path';
import { goQuote } from '../constraints/go-quote.ts';
import { messageOf } from '../platform/errors.ts';
import { isRecord } from '../platform/json-object.ts';
import { GatorError } from './errors.ts';
import { filesBelow, kindOfPath, readTextFile } from './files.ts';
import { gvkOf, nameOf, namespaceOf, type Unstructured } from './object.ts';
import { readYaml } from './yaml/read.ts';

/** Where some objects were read. */
export interface Source {
  /** As a warning names it: `file: "x.yaml"` or `stdin`. */
  readonly told: string;
  readonly objects: readonly Unstructured[];
}

const ENDINGS = ['.yaml', '.yml', '.json'];
const LARGEST_INPUT = 64 * 1024 * 1024;

/** Reads the objects of files and folders, those of a folder with all below it. Throws `GatorError`. */
export async function readFileSources(names: readonly string[]): Promise<readonly Source[]> {
  const sources: Source[] = [];
  try {
    for (const name of names) {
      for (const file of await filesOf(name)) {
        sources.push({ told: `file: ${goQuote(file)}`, objects: await objectsOfFile(file) });
      }
    }
  } catch (cause) {
    if (!(cause instanceof GatorError)) throw cause;
    throw new GatorError(cause.code, `reading: reading from filenames: ${cause.message}`, { cause });
  }
  return sources;
}

async function filesOf(name: string): Promise<readonly string[]> {
  if ((await kindOfPath(name)) === 'folder') return filesBelow(name, ENDINGS, true);
  if (ENDINGS.includes(extname(name))) return [name];
  throw new GatorError('input_unreadable', `path ${goQuote(name)} must be of extensions: [${ENDINGS.join(' ')}]`);
}

async function objectsOfFile(file: string): Promise<readonly Unstructured[]> {
  const text = await readTextFile(file);
  try {
    return readManifest(text);
  } catch (cause) {
    throw new GatorError('yaml_invalid', `reading file ${goQuote(file)}: ${messageOf(cause)}`, { cause });
  }
}

/** Reads the objects that stand on standard input; none when it is a terminal or another device. Throws `GatorError`. */
export async function readInputSource(input: NodeJS.ReadStream): Promise<Source> {
  const told = 'stdin';
  if (input.isTTY || isDevice(input)) return { told, objects: [] };
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > LARGEST_INPUT)
      throw new GatorError('input_unreadable', `standard input is larger than ${LARGEST_INPUT} bytes`);
    chunks.push(bytes);
  }
  try {
    return { told, objects: readManifest(Buffer.concat(chunks).toString('utf8')) };
  } catch (cause) {
    throw new GatorError('yaml_invalid', `reading: reading from stdin: reading: ${messageOf(cause)}`, { cause });
  }
}

function isDevice(input: NodeJS.ReadStream): boolean {
  try {
    // A stream that has no number is one of a test; it is read.
    const { fd } = input as { readonly fd?: unknown };
    return typeof fd === 'number' && fstatSync(fd).isCharacterDevice();
  } catch {
    // It is closed: there is nothing to read.
    return true;
  }
}

/** The objects that are defined twice, each as a sentence. */
export function conflictsIn(sources: readonly Source[]): readonly string[] {
  const seen = new Map<string, Source>();
  return sources.flatMap((source) =>
    source.objects.flatMap((object) => {
      const { group } = gvkOf(object);
      const key = JSON.stringify([group, object['kind'], nameOf(object), namespaceOf(object)]);
      const before = seen.get(key);
      seen.set(key, source);
      if (!before) return [];
      return [
        `WARNING - Resource named ${goQuote(nameOf(object))} (from ${source.told}) is already defined in ${before.told}`,
      ];
    }),
  );
}

/** The objects of a stream of JSON or YAML; empty ones are left out. Throws `GatorError('yaml_invalid')`. */
function readManifest(text: string): readonly Unstructured[] {
  const objects: Unstructured[] = [];
  let rest = text;
  if (rest.trimStart().startsWith('{')) {
    const values = readJsonStream(rest);
    for (const value of values.objects) objects.push(expectObject(value));
    rest = values.rest;
  }
  for (const part of yamlDocuments(rest)) {
    const value = converted(part);
    if (value !== null && value !== undefined) objects.push(expectObject(value));
  }
  return objects.filter((object) => Object.keys(object).length > 0);
}

function invalid(message: string, cause?: unknown): GatorError {
  return new GatorError('yaml_invalid', `reading yaml source: ${message}`, { cause });
}

function converted(part: string): unknown {
  try {
    return readYaml('v2', part);
  } catch (cause) {
    throw invalid(`error converting YAML to JSON: ${messageOf(cause)}`, cause);
  }
}

function expectObject(value: unknown): Unstructured {
  if (isRecord(value)) return value;
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  throw invalid(
    `error unmarshaling JSON: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
  );
}

/** JSON values one after the other, as long as they are ones; the rest may be YAML. */
function readJsonStream(text: string): { readonly objects: readonly unknown[]; readonly rest: string } {
  const objects: unknown[] = [];
  let from = 0;
  for (;;) {
    const start = from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0);
    if (start >= text.length) return { objects, rest: '' };
    const end = endOfJson(text, start);
    try {
      if (end === undefined) throw new SyntaxError('unexpected end of JSON input');
      objects.push(JSON.parse(text.slice(start, end)));
      from = end;
    } catch (cause) {
      if (objects.length > 1) throw invalid(messageOf(cause), cause);
      return { objects, rest: text.slice(from) };
    }
  }
}

/** Where the JSON object that starts at a place ends. */
function endOfJson(text: string, start: number): number | undefined {
  if (text[start] !== '{') return undefined;
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{' || character === '[') depth += 1;
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1;
  }
  return undefined;
}

function* yamlDocuments(text: string): Iterable<string> {
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith('---')) {
      lines.push(line);
      continue;
    }
    const after = line.slice(3).trim();
    if (after !== '' && !after.startsWith('#')) throw invalid(`invalid Yaml document separator: ${after}`);
    if (lines.length > 0) yield lines.join('\n');
    lines = [];
  }
  if (lines.length > 0) yield lines.join('\n');
}
