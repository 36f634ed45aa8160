import { resolve } from 'node:path';
import { type Outcome, run } from '../support/program.ts';

/** The built program, as people run it. */
export function breakwater(args: readonly string[]): Promise<Outcome> {
  const program = resolve(import.meta.dirname, '../../bin/breakwater.mjs');
  return run(process.execPath, [program, ...args], { timeout: 600_000 });
}
