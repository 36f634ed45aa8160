import { readFile, stat } from 'node:fs/promises';
import { type Position, readManifests } from '../../constraints/lint/documents.ts';
import { type FieldPath } from '../../constraints/lint/finding.ts';
import { readBounded } from '../../platform/streams.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';

/** One object and where it was read: a file with lines and columns, or a cluster. */
export interface SourcedObject {
  readonly object: unknown;
  /** Name of the file as it was given, `stdin`, or undefined for a cluster. */
  readonly file?: string;
  positionOf?(path: FieldPath): Position;
}

const LARGEST_FILE = 16 * 1024 * 1024;

/**
 * Reads manifests from files and standard input (`-`). Throws `CliError('usage')` for what is no YAML, naming line and
 * column.
 */
export async function readManifestFiles(cli: Cli, names: readonly string[]): Promise<SourcedObject[]> {
  const found: SourcedObject[] = [];
  for (const name of names) {
    const file = name === '-' ? 'stdin' : name;
    const { objects, problems } = readManifests(await textOf(cli, name));
    const [problem] = problems;
    if (problem !== undefined) {
      const { line, column } = problem.position;
      throw new CliError('usage', `${file}:${line}:${column}: this is no YAML: ${problem.message}`);
    }
    found.push(...objects.map((one) => ({ ...one, file })));
  }
  return found;
}

async function textOf(cli: Cli, name: string): Promise<string> {
  if (name === '-') return (await readBounded(cli.input, LARGEST_FILE, 'standard input')).toString('utf8');
  const { size } = await stat(name);
  if (size > LARGEST_FILE) throw new CliError('usage', `${name} is larger than ${LARGEST_FILE} bytes`);
  return readFile(name, 'utf8');
}
