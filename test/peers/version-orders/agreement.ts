import { execFile } from 'node:child_process';
import { compareVersions, type VersionScheme } from '../../../src/scanner/versions/index.ts';
import type { Pair } from './pairs.ts';

/** Processes that ask the reference implementation at the same time. */
const ASKERS = 2;

export type Command = readonly [program: string, ...args: string[]];

/** What came of comparing two implementations on a list of pairs. The lists hold texts to show. */
export interface Agreement {
  readonly agree: number;
  readonly neither: number;
  readonly differ: readonly string[];
  readonly onlyWe: readonly Pair[];
  readonly onlyThey: readonly Pair[];
}

/** Compares our order with the one that a command gives: it reads pairs `a<tab>b` and prints `<`, `=`, `>` or `?` for each. */
export async function agreement(scheme: VersionScheme, pairs: readonly Pair[], command: Command): Promise<Agreement> {
  const signs = await ask(pairs, command);
  if (signs.length !== pairs.length) throw new Error(`${signs.length} answers to ${pairs.length} pairs`);
  const found = { agree: 0, neither: 0, differ: [] as string[], onlyWe: [] as Pair[], onlyThey: [] as Pair[] };
  for (const [i, pair] of pairs.entries()) {
    const order = compareVersions(scheme, ...pair);
    const ours = order === undefined ? '?' : '<=>'[order + 1];
    if (ours === signs[i]) found[ours === '?' ? 'neither' : 'agree'] += 1;
    else if (ours === '?') found.onlyThey.push(pair);
    else if (signs[i] === '?') found.onlyWe.push(pair);
    else found.differ.push(`${pair[0]} ${signs[i]} ${pair[1]}, but we say ${ours}`);
  }
  return found;
}

async function ask(pairs: readonly Pair[], [program, ...args]: Command): Promise<readonly string[]> {
  const size = Math.ceil(pairs.length / ASKERS);
  const shares = Array.from({ length: ASKERS }, (_, i) => pairs.slice(i * size, (i + 1) * size));
  const answers = await Promise.all(
    shares.map(
      (share) =>
        new Promise<string>((resolve, reject) => {
          const child = execFile(program, args, { maxBuffer: 1e8 }, (error, stdout) =>
            error ? reject(error) : resolve(stdout),
          );
          child.stdin?.end(share.map((pair) => `${pair.join('\t')}\n`).join(''));
        }),
    ),
  );
  return answers.flatMap((answer) => answer.trim().split('\n'));
}
