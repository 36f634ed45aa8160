import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { parse } from 'yaml';
import { isRecord } from '../../platform/json-object.ts';
import { readBounded } from '../../platform/streams.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';
import { bytes } from '../output.ts';
import { readHarborAllowlist } from './harbor-allowlist.ts';
import { readRequests } from './request-file.ts';
import { isVulnerability, readTrivyignore, readTrivyignoreYaml } from './trivyignore.ts';
import type { FileEntries } from './wanted.ts';

export const FORMATS = ['requests', 'harbor', 'trivyignore', 'trivyignore-yaml'] as const;
export type FileFormat = (typeof FORMATS)[number];

const LARGEST_FILE = 1024 * 1024;

/** Reads a file of exceptions, `-` for standard input; its format is told by its name and content unless it is given. */
export async function readExceptionFile(
  cli: Pick<Cli, 'input'>,
  path: string,
  format: FileFormat | undefined,
): Promise<FileEntries> {
  const name = path === '-' ? 'standard input' : path;
  return entriesIn(await textOf(cli, path), name, format);
}

/** The entries of a text; throws `CliError('usage')` for one that cannot be understood. */
export function entriesIn(text: string, name: string, format: FileFormat | undefined): FileEntries {
  if (format === 'trivyignore' || (format === undefined && basename(name) === '.trivyignore'))
    return readTrivyignore(text, name);
  if (format === undefined && isIgnoreList(text)) return readTrivyignore(text, name);
  const value = valueIn(text, name);
  switch (format ?? formatOf(value)) {
    case 'harbor':
      return readHarborAllowlist(value, name);
    case 'trivyignore-yaml':
      return readTrivyignoreYaml(value, name);
    default:
      return readRequests(value, name);
  }
}

/** True for lines that each begin with the id of a vulnerability, perhaps behind comments: no other format looks so. */
function isIgnoreList(text: string): boolean {
  const lines = text.split('\n').map((line) => line.trim());
  const said = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return said.length > 0 && said.every((line) => IGNORED.test(line)) && said.some(isVulnerability);
}

/** An id with a number in it, then nothing, an end or a comment. */
const IGNORED = /^[A-Za-z][\w.-]*-[\w-]*(?:\s|$)/;

function formatOf(value: unknown): FileFormat {
  if (!isRecord(value)) return 'requests';
  if (value['items'] !== undefined || value['cve_allowlist'] !== undefined) return 'harbor';
  return value['vulnerabilities'] === undefined ? 'requests' : 'trivyignore-yaml';
}

function valueIn(text: string, name: string): unknown {
  try {
    // JSON is YAML too. An alias could stand for millions of values.
    return parse(text, { maxAliasCount: 0, logLevel: 'error' });
  } catch (error) {
    const why = error instanceof RangeError ? 'it is nested too deeply' : (error as Error).message.split('\n', 1)[0];
    throw new CliError(
      'usage',
      `${name}: this is neither YAML nor JSON: ${why}; say what it is with --format (${FORMATS.join(', ')})`,
    );
  }
}

async function textOf(cli: Pick<Cli, 'input'>, path: string): Promise<string> {
  if (path === '-') return (await readBounded(cli.input, LARGEST_FILE, 'standard input')).toString('utf8');
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > LARGEST_FILE)
      throw new CliError(
        'usage',
        `${path} has ${bytes(size)}; a file of exceptions has at most ${bytes(LARGEST_FILE)}`,
      );
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
