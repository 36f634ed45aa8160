import { writeFile } from 'node:fs/promises';
import { GatorError } from '../../gator/errors.ts';
import { expandAll, formatObjects } from '../../gator/expand/expand.ts';
import type { Cli } from '../cli.ts';
import { endingAsGator } from './ending.ts';
import { readSources } from './test.ts';

export interface ExpandOptions {
  readonly filename: readonly string[];
  readonly format: string;
  readonly outputfile: string;
}

/** Prints what objects make, or writes it to a file. */
export async function expand(cli: Cli, { filename, format, outputfile }: ExpandOptions): Promise<void> {
  await endingAsGator(cli, async () => {
    const made = expandAll(await readSources(cli, filename));
    if (format !== '' && format !== 'yaml' && format !== 'json') {
      throw new GatorError('input_unreadable', `unrecognized value for format flag: ${format}`);
    }
    const text = formatObjects(format === 'json' ? 'json' : 'yaml', made);
    if (outputfile === '') {
      cli.print(text);
      return;
    }
    cli.print(`Writing output to file: ${outputfile}`);
    await writeFile(outputfile, text);
  });
}
