import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Finding } from '../../model/finding.ts';
import { concernsFinding, isInForce } from '../../policy/exception-match.ts';
import type { GrantedException } from '../../policy/exceptions.ts';
import { CliError } from '../exit.ts';
import { endOf } from '../moments.ts';
import { bytes } from '../output.ts';

/** What is read when no other file is named. */
const DEFAULT_IGNORE_FILE = '.breakwaterignore';

/** One line of an ignore file: this vulnerability does not count, in this package or in all. */
export interface IgnoreLine {
  readonly line: number;
  readonly id: string;
  readonly package?: string;
  /** The line counts before this moment, epoch ms. */
  readonly until?: number;
  readonly reason?: string;
}

export interface IgnoreFile {
  readonly path: string;
  readonly lines: readonly IgnoreLine[];
}

const LARGEST_FILE = 1024 * 1024;
/** The end of what has none: the last moment that every date format can write. */
const NEVER = Date.parse('9999-12-31T23:59:59Z');

/**
 * Reads the named file, or the default one where it exists. `false` = none is wanted. Throws `CliError('usage')` for lines
 * that cannot be understood, and whatever reading throws.
 */
export async function readIgnoreFile(wanted: string | false | undefined): Promise<IgnoreFile | undefined> {
  if (wanted === false) return undefined;
  const path = wanted ?? DEFAULT_IGNORE_FILE;
  if (wanted === undefined && !existsSync(path)) return undefined;
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > LARGEST_FILE)
      throw new CliError('usage', `${path} has ${bytes(size)}; an ignore file has at most ${bytes(LARGEST_FILE)}`);
    return { path, lines: parseIgnoreLines(await file.readFile('utf8'), path) };
  } finally {
    await file.close();
  }
}

/**
 * Lines `ID [package] [until=YYYY-MM-DD] [# reason]`; empty ones and pure comments are passed over. Those of a `.trivyignore`
 * (`ID`, `ID exp:YYYY-MM-DD`) mean the same here. Throws `CliError('usage')`: a line must never ignore more than was meant.
 */
export function parseIgnoreLines(text: string, path: string): readonly IgnoreLine[] {
  return text.split(/\r?\n/).flatMap((whole, at) => {
    const hash = whole.search(/(?:^|\s)#/);
    const words = (hash < 0 ? whole : whole.slice(0, hash)).split(/\s+/).filter(Boolean);
    const reason = hash < 0 ? '' : whole.slice(whole.indexOf('#', hash) + 1).trim();
    const [id, ...rest] = words;
    if (id === undefined) return [];
    const fail = (why: string) => new CliError('usage', `${path}, line ${at + 1}: ${why}`);
    const ends = rest.filter((word) => /^(?:until=|exp:)/.test(word));
    const names = rest.filter((word) => !ends.includes(word));
    if (ends.length > 1 || names.length > 1)
      throw fail('write ID, then at most one package and one until=YYYY-MM-DD, then # and the reason');
    const [name] = names;
    if (id.includes('*')) throw fail(`${id} is no id of a vulnerability; write a line for each one`);
    if (name?.includes('*')) throw fail(`${name} is no name of a package; leave it out to mean all`);
    const until = ends[0] === undefined ? undefined : endOfLine(ends[0], fail);
    return {
      line: at + 1,
      id,
      ...(name === undefined ? {} : { package: name }),
      ...(until === undefined ? {} : { until }),
      ...(reason === '' ? {} : { reason }),
    };
  });
}

function endOfLine(word: string, fail: (why: string) => CliError): number {
  try {
    return Date.parse(endOf(word.slice(word.startsWith('exp:') ? 4 : 6)));
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw fail(`${word}: ${error.message}`);
    throw error;
  }
}

/** The lines as what the judge understands. */
export function exceptionsOf(file: IgnoreFile | undefined): readonly GrantedException[] {
  return (file?.lines ?? []).map((line) => exceptionOf(file?.path ?? '', line));
}

/** The line by which a finding does not count at a moment: the one that lasts longest; undefined when there is none. */
export function lineFor(finding: Finding, file: IgnoreFile | undefined, now: number): IgnoreLine | undefined {
  return (file?.lines ?? [])
    .filter((line) => {
      const exception = exceptionOf('', line);
      return isInForce(exception, now) && concernsFinding(exception, finding);
    })
    .sort((a, b) => (b.until ?? NEVER) - (a.until ?? NEVER))[0];
}

/** Lines that are over, and lines that concern nothing that was found. */
export function idleLines(
  file: IgnoreFile,
  findings: readonly Finding[],
  now: number,
): { readonly expired: readonly IgnoreLine[]; readonly unused: readonly IgnoreLine[] } {
  const isOver = ({ until = NEVER }: IgnoreLine): boolean => now >= until;
  const concernsNothing = (line: IgnoreLine): boolean =>
    !findings.some((finding) => concernsFinding(exceptionOf('', line), finding));
  return {
    expired: file.lines.filter(isOver),
    unused: file.lines.filter((line) => !isOver(line) && concernsNothing(line)),
  };
}

function exceptionOf(path: string, { line, id, package: name, until = NEVER }: IgnoreLine): GrantedException {
  return {
    id: `${basename(path)}:${line}`,
    vulnerability: id,
    ...(name === undefined ? {} : { package: { name } }),
    from: 0,
    until,
  };
}
