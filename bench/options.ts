import { parseArgs } from 'node:util';
import type { LoadGenerator } from './load.ts';

export const PARTS = ['registry', 'scan', 'webhook'] as const;
export type Part = (typeof PARTS)[number];

/** What a part of the benchmark is given. */
export interface Options {
  readonly rounds: number;
  /** Factor on the number of operations; below 1 for a quick look. */
  readonly scale: number;
  /** A folder that is removed at the end. */
  readonly folder: string;
  readonly load: LoadGenerator;
}

const FEWEST_ROUNDS = 3;

/** Reads `--rounds N`, `--scale F` and the parts to run (all unless named). Throws for anything else. */
export function readOptions(argv: readonly string[]): { rounds: number; scale: number; parts: readonly Part[] } {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { rounds: { type: 'string', default: '3' }, scale: { type: 'string', default: '1' } },
    allowPositionals: true,
  });
  const [rounds, scale] = [Number(values.rounds), Number(values.scale)];
  if (!Number.isInteger(rounds) || rounds < FEWEST_ROUNDS)
    throw new Error(`--rounds must be at least ${FEWEST_ROUNDS}`);
  if (!(scale > 0)) throw new Error('--scale must be a number above 0');
  const parts = positionals.map((name) => {
    const part = PARTS.find((one) => one === name);
    if (part === undefined) throw new Error(`there is no part "${name}"; there are: ${PARTS.join(', ')}`);
    return part;
  });
  return { rounds, scale, parts: parts.length === 0 ? PARTS : parts };
}
