import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  Parser,
  type Scalar,
  type ScalarTag,
  type Tags,
  type YAMLError,
} from 'yaml';
import { messageOf } from '../../platform/errors.ts';
import { GatorError } from '../errors.ts';
import { goJson } from '../go-text.ts';
import { type Dialect, NOT_A_JSON_NUMBER, plainScalar } from './scalars.ts';

/** Nodes a document may have once its aliases are followed. */
const MOST_NODES = 2_000_000;
/** Far above any Kubernetes object; also what keeps recursion off the end of the stack. */
const DEEPEST = 500;
/** What libyaml refuses wherever it stands. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u0080-\u0084\u0086-\u009f\ufffe\uffff]/;
const TOO_DEEP = 'nested too deeply';

/**
 * The first document of a YAML text as the JSON value Go makes of it; undefined when there is none. What follows the
 * first document is not looked at, as `yaml.Unmarshal` does. Throws `GatorError('yaml_invalid')`.
 */
export function readYaml(dialect: Dialect, text: string): unknown {
  if (CONTROLS.test(text)) throw invalid('control characters are not allowed');
  expectShallow(text);
  const document = firstDocument(dialect, text, 0);
  if (document === undefined) return undefined;
  return document.contents === null ? null : new Reader(dialect, document).value(document.contents, 0);
}

/** Quoted texts of one document that are indented as libyaml lets them be and YAML 1.2 does not. */
const MOST_MENDED = 100;

function firstDocument(dialect: Dialect, text: string, mended: number): Document.Parsed | undefined {
  let document: Document.Parsed | undefined;
  try {
    const composer = new Composer({
      version: '1.1',
      customTags: (tags) => tagsOf(dialect, tags),
      uniqueKeys: false,
      merge: false,
      logLevel: 'silent',
    });
    for (const found of composer.compose(new Parser().parse(text))) {
      document = found;
      break;
    }
  } catch (cause) {
    throw invalid(cause instanceof RangeError ? TOO_DEEP : messageOf(cause), cause);
  }
  const [problem] = document?.errors ?? [];
  if (!problem) return document;
  const better = mended < MOST_MENDED ? withIndentedQuote(text, problem) : undefined;
  if (better !== undefined) return firstDocument(dialect, better, mended + 1);
  throw invalid(problem.message.replace(/\s+/g, ' ').trim(), problem);
}

/** The text with the quoted text before a "missing quote" indented enough; undefined when that is not what is wrong. */
function withIndentedQuote(text: string, { message, pos }: YAMLError): string | undefined {
  const quote = message.includes('Missing closing "quote')
    ? '"'
    : message.includes("Missing closing 'quote")
      ? "'"
      : '';
  if (quote === '') return undefined;
  const start = text.lastIndexOf(quote, pos[0]);
  const whole = quote === '"' ? /"(?:[^"\\]|\\[^])*"/y : /'(?:[^']|'')*'/y;
  whole.lastIndex = start;
  const [quoted] = (start < 0 ? undefined : whole.exec(text)) ?? [];
  if (quoted === undefined || !quoted.includes('\n')) return undefined;
  // Blanks at the beginning of a continued line mean nothing.
  return text.slice(0, start) + quoted.replaceAll('\n', `\n${' '.repeat(DEEPEST)}`) + text.slice(start + quoted.length);
}

/** The parser takes quadratic time for nesting that no object has: that is found before it is asked. */
function expectShallow(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) depth += 1;
    else if ((code === 0x5d || code === 0x7d) && depth > 0) depth -= 1;
    if (depth > 2 * DEEPEST) throw invalid(TOO_DEEP);
  }
  if (/(?:[-?]\s{1,8}){1000}/.test(text)) throw invalid(TOO_DEEP);
}

function invalid(message: string, cause?: unknown): GatorError {
  return new GatorError('yaml_invalid', `yaml: ${message}`, { cause });
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  int: (value) => typeof value === 'number' && Number.isInteger(value),
  float: (value) => typeof value === 'number' || value === NOT_A_JSON_NUMBER,
  bool: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  timestamp: (value) => typeof value === 'string',
};

/** One tag for all plain scalars, so that what Go makes of a text is decided in one place. */
function tagsOf(dialect: Dialect, tags: Tags): Tags {
  const kept = tags.filter((tag) => tag === 'map' || tag === 'seq' || (typeof tag === 'object' && isKept(tag.tag)));
  const plain: ScalarTag = {
    tag: 'tag:yaml.org,2002:plain',
    default: true,
    test: /^(?:[-+.0-9~yYnNtTfFoO].*)?$/,
    resolve: (text) => plainScalar(dialect, text),
  };
  const explicit = Object.entries(TYPES).map(
    ([name, fits]): ScalarTag => ({
      tag: `tag:yaml.org,2002:${name}`,
      resolve(text, onError) {
        const value = plainScalar(dialect, text);
        if (!fits(value)) onError(`cannot decode \`${text}\` as a !!${name}`);
        return value;
      },
    }),
  );
  const binary: ScalarTag = {
    tag: 'tag:yaml.org,2002:binary',
    resolve: (text) => Buffer.from(text, 'base64').toString('utf8'),
  };
  return [...kept, plain, ...explicit, binary];
}

function isKept(tag: string): boolean {
  return ['map', 'seq', 'str'].some((name) => tag === `tag:yaml.org,2002:${name}`);
}

/** Turns nodes into values and follows aliases within bounds. */
class Reader {
  readonly #dialect: Dialect;
  readonly #document: Document.Parsed;
  readonly #open = new Set<string>();
  #nodes = 0;
  #aliased = 0;
  #aliasDepth = 0;

  constructor(dialect: Dialect, document: Document.Parsed) {
    this.#dialect = dialect;
    this.#document = document;
  }

  value(node: unknown, depth: number): unknown {
    this.#count();
    if (depth > DEEPEST) throw invalid(TOO_DEEP);
    if (node === null || node === undefined) return null;
    if (isAlias(node)) return this.#alias(node.source, node.resolve(this.#document), depth);
    if (isScalar(node)) return scalarValue(node);
    if (isSeq(node)) return node.items.map((item) => this.value(item, depth + 1));
    if (isMap(node)) return this.#map(node.items, depth);
    throw invalid('a node of an unknown kind');
  }

  #count(): void {
    this.#nodes += 1;
    if (this.#aliasDepth > 0) this.#aliased += 1;
    const excessive =
      this.#aliased > 100 && this.#nodes > 1000 && this.#aliased / this.#nodes > allowedAliasRatio(this.#nodes);
    if (excessive) throw invalid('document contains excessive aliasing');
    if (this.#nodes > MOST_NODES) throw invalid(`document has more than ${MOST_NODES} values`);
  }

  #alias(name: string, target: Node | undefined, depth: number): unknown {
    if (target === undefined) throw invalid(`unknown anchor '${name}' referenced`);
    if (this.#open.has(name)) throw invalid(`anchor '${name}' value contains itself`);
    this.#open.add(name);
    this.#aliasDepth += 1;
    const value = this.value(target, depth + 1);
    this.#aliasDepth -= 1;
    this.#open.delete(name);
    return value;
  }

  #map(pairs: readonly { readonly key: unknown; readonly value: unknown }[], depth: number): unknown {
    const own = new Map<string, unknown>();
    const merged: Record<string, unknown>[] = [];
    for (const pair of pairs) {
      if (isScalar(pair.key) && pair.key.value === '<<' && pair.key.type === 'PLAIN') {
        merged.push(...mergedMaps(this.value(pair.value, depth + 1)));
        continue;
      }
      const key = this.#key(pair.key, depth);
      if (own.has(key) && this.#dialect === 'v3') throw invalid(`mapping key ${JSON.stringify(key)} already defined`);
      own.set(key, this.value(pair.value, depth + 1));
    }
    for (const map of merged) {
      for (const [key, value] of Object.entries(map)) if (!own.has(key)) own.set(key, value);
    }
    // Unlike an assignment this makes `__proto__` a field like any other.
    return Object.fromEntries(own);
  }

  #key(node: unknown, depth: number): string {
    const value = this.value(node, depth + 1);
    if (typeof value === 'string') return value;
    if (this.#dialect === 'v2' && (typeof value === 'number' || typeof value === 'boolean')) return String(value);
    // At the top go-yaml decodes into a map with text keys, and takes the text of a scalar.
    if (depth === 0 && this.#dialect === 'v3' && isScalar(node) && value !== null) return node.source ?? goJson(value);
    throw invalid('json: unsupported type: map[interface {}]interface {}');
  }
}

function scalarValue(node: Scalar): unknown {
  if (node.value === NOT_A_JSON_NUMBER) throw invalid('json: unsupported value: a number that is not finite');
  return node.value;
}

function mergedMaps(value: unknown): Record<string, unknown>[] {
  const maps = Array.isArray(value) ? value : [value];
  if (maps.every((map): map is Record<string, unknown> => typeof map === 'object' && map !== null)) return maps;
  throw invalid('map merge requires map or sequence of maps as the value');
}

/** go-yaml's own bound on how much of a document may come from aliases. */
function allowedAliasRatio(nodes: number): number {
  if (nodes <= 400_000) return 0.99;
  return nodes >= 4_000_000 ? 0.1 : 0.99 - 0.89 * ((nodes - 400_000) / 3_600_000);
}
