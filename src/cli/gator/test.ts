import { GatorError } from '../../gator/errors.ts';
import type { Unstructured } from '../../gator/object.ts';
import { conflictsIn, readFileSources, readInputSource } from '../../gator/sources.ts';
import { denies, formatResults, type TestOutput } from '../../gator/test/output.ts';
import { testObjects } from '../../gator/test/test.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit.ts';
import { endingAsGator, NO_TRACE } from './ending.ts';

export interface TestOptions {
  readonly filename: readonly string[];
  readonly output: string;
  readonly denyOnly: boolean;
  readonly trace: boolean;
}

/** Judges objects and prints the violations; ends with 1 when one of them denies. */
export async function test(cli: Cli, options: TestOptions): Promise<void> {
  await endingAsGator(cli, async () => {
    if (options.trace) cli.note(NO_TRACE);
    const results = testObjects(await readSources(cli, options.filename));
    const shown = options.denyOnly ? results.filter(denies) : results;
    // No line end is added to it, as in gator.
    cli.output.write(formatResults(formOf(options.output), shown));
    if (results.some(denies)) cli.exitWith(EXIT.negative);
  });
}

/** What is neither json nor yaml is gator's own form. */
function formOf(output: string): TestOutput {
  const form = output.toLowerCase();
  return form === 'json' || form === 'yaml' ? form : 'default';
}

/** The objects of files and standard input, and a warning for each that is there twice. Throws `GatorError`. */
export async function readSources(cli: Cli, names: readonly string[]): Promise<readonly Unstructured[]> {
  const sources = [...(await readFileSources(names)), await readInputSource(cli.input)];
  for (const conflict of conflictsIn(sources)) cli.note(conflict);
  const objects = sources.flatMap((source) => source.objects);
  if (objects.length === 0) throw new GatorError('input_unreadable', 'no input data identified');
  return objects;
}
