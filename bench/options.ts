import { parseArgs } from 'node:util';
import type { LoadGenerator } from './load.ts';

export const PARTS = ['registry', 'scan', 'verdict', 'webhook'] as const;
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
/** Enough to see that everything still runs, too little to compare. */
const QUICK_SCALE = '0.02';

/**
 * Reads `--rounds N`, `--scale F`, `--quick` and the parts to run (all unless named). Fewer than three rounds are for quick looks
 * only: one round has no spread. Throws for anything else.
 */
export function readOptions(argv: readonly string[]): { rounds: number; scale: number; parts: readonly Part[] } {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { rounds: { type: 'string' }, scale: { type: 'string' }, quick: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const fewest = values.quick ? 1 : FEWEST_ROUNDS;
  const [rounds, scale] = [Number(values.rounds ?? fewest), Number(values.scale ?? (values.quick ? QUICK_SCALE : 1))];
  if (!Number.isInteger(rounds) || rounds < fewest)
    throw new Error(`--rounds must be at least ${fewest}${values.quick ? '' : ' (1 with --quick)'}`);
  if (!(scale > 0)) throw new Error('--scale must be a number above 0');
  const parts = positionals.map((name) => {
    const part = PARTS.find((one) => one === name);
    if (part === undefined) throw new Error(`there is no part "${name}"; there are: ${PARTS.join(', ')}`);
    return part;
  });
  return { rounds, scale, parts: parts.length === 0 ? PARTS : parts };
}
