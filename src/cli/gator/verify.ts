import { findSuites } from '../../gator/verify/find-suites.ts';
import { readFilter } from '../../gator/verify/filter.ts';
import { printResults, type SuiteResult, suiteFailed } from '../../gator/verify/result.ts';
import { regoJudge, runSuite } from '../../gator/verify/run.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit.ts';

/** Runs suites and prints what came of them as gator does. */
export async function verify(
  cli: Cli,
  paths: readonly string[],
  { run, verbose }: { readonly run: string; readonly verbose: boolean },
): Promise<void> {
  const suites = (await Promise.all(paths.map(findSuites))).flat();
  const filter = readFilter(run);
  const results: SuiteResult[] = [];
  for (const suite of suites) results.push(await runSuite({ newJudge: regoJudge }, filter, suite));
  cli.print(printResults(results, verbose));
  if (results.some(suiteFailed)) cli.exitWith(EXIT.negative);
}
