import { GatorError } from '../../gator/errors.ts';
import { kindOfPath } from '../../gator/files.ts';
import { breakwaterJudge } from '../../gator/verify/breakwater-judge.ts';
import { readFilter } from '../../gator/verify/filter.ts';
import { type FoundSuite, findSuites } from '../../gator/verify/find-suites.ts';
import { splitByTemplate } from '../../gator/verify/foreign-suites.ts';
import { printResults, type SuiteResult, suiteFailed } from '../../gator/verify/result.ts';
import { regoJudge, runSuite } from '../../gator/verify/run.ts';
import { counted } from '../../platform/counted.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit.ts';
import { NO_TRACE } from './ending.ts';

export interface VerifyOptions {
  readonly run: string;
  readonly verbose: boolean;
  readonly trace: boolean;
  /** Judge by the guard's engine in its own way. */
  readonly breakwater: boolean;
  /** Pass over suites of templates whose kind is not ours. */
  readonly library: boolean;
}

/** Runs suites and prints what came of them as gator does. */
export async function verify(cli: Cli, paths: readonly string[], options: VerifyOptions): Promise<void> {
  if (options.trace) cli.note(NO_TRACE);
  try {
    const filter = readFilter(options.run);
    const suites = await ours(cli, options, await found(options.library ? await whole(paths) : paths));
    const newJudge = options.breakwater ? breakwaterJudge : regoJudge;
    const results: SuiteResult[] = [];
    for (const suite of suites) results.push(await runSuite({ newJudge }, filter, suite));
    cli.print(printResults(results, options.verbose));
    if (!results.some(suiteFailed)) return;
    cli.note('Error: FAIL');
  } catch (error) {
    if (!(error instanceof GatorError)) throw error;
    cli.note(`Error: ${error.message}`);
  }
  cli.exitWith(EXIT.negative);
}

/** A checkout is looked through as a whole, as `DIR/...` says it. */
async function whole(paths: readonly string[]): Promise<readonly string[]> {
  return Promise.all(
    paths.map(async (path) => {
      const folder = !path.endsWith('/...') && (await kindOfPath(path)) === 'folder';
      return folder ? `${path.replace(/\/$/, '')}/...` : path;
    }),
  );
}

async function found(paths: readonly string[]): Promise<readonly FoundSuite[]> {
  try {
    return (await Promise.all(paths.map(findSuites))).flat();
  } catch (cause) {
    if (!(cause instanceof GatorError)) throw cause;
    throw new GatorError(cause.code, `listing test files: ${cause.message}`, { cause });
  }
}

/** With `--library` the suites of other templates are named and counted, and their outcome is nobody's. */
async function ours(
  cli: Cli,
  { library }: VerifyOptions,
  suites: readonly FoundSuite[],
): Promise<readonly FoundSuite[]> {
  if (!library) return suites;
  const { own, foreign } = await splitByTemplate(suites);
  for (const { shownPath, kinds } of foreign) cli.print(`not ours\t${shownPath}\t${kinds.join(', ')}`);
  cli.print(`${counted(own.length, 'suite')} of our kinds, ${counted(foreign.length, 'suite')} of others not run\n`);
  if (own.length > 0) return own;
  throw new GatorError('suite_invalid', 'there is no suite of our kinds');
}
