import { systemClock } from '../../platform/clock.ts';
import { counted } from '../../platform/counted.ts';
import { isWrittenInto } from '../../platform/whole-file.ts';
import type { BuildProgress, BuildReport } from '../../scanner/advisories/build.ts';
import { buildApart } from '../../scanner/advisories/build-apart.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';
import { bytes, facts, type OutputOptions, printAs } from '../output.ts';
import { expectPlaceFor } from '../write-whole.ts';
import { sourceTable } from './sources.ts';

export interface BuildCommandOptions extends OutputOptions {
  readonly from: string;
  readonly out: string;
  readonly completeness?: string;
}

const SECOND = 1000;

/** Builds a database file and says what is in it. Throws `FeedError`, `AdvisoryDatabaseError`. */
export async function buildDatabase(cli: Cli, options: BuildCommandOptions): Promise<void> {
  const { from, out, completeness } = options;
  await expectPlaceFor(out);
  if (await isWrittenInto(out)) throw new CliError('usage', `${out} is no file: a database is built in a file`);
  let shownAt = 0;
  const report = await buildApart({
    from,
    out,
    clock: systemClock,
    ...(completeness === undefined ? {} : { completeness }),
    onProgress: (progress) => {
      const now = systemClock.now();
      if (now - shownAt < SECOND) return;
      shownAt = now;
      cli.note(progressLine(progress));
    },
  });
  printAs(cli, options, report, () => renderBuild(report));
}

/** What a build made, with what it could not use: bad records are no reason to fail, and none to be silent. */
function renderBuild(report: BuildReport): string {
  const { problems } = report;
  return [
    facts([
      ['written', `${report.path} (${bytes(report.bytes)})`],
      ['version', report.version],
      ['built', report.builtAt],
      [
        'holds',
        `${counted(report.vulnerabilities, 'vulnerability', 'vulnerabilities')}, ${counted(report.statements, 'statement')} about ${counted(report.packages, 'package')}, from ${counted(report.records, 'record')} in ${counted(report.files, 'file')}`,
      ],
    ]),
    ...Object.entries(problems).map(
      ([kind, { count, examples }]) => `not used: ${counted(count, 'record')}, ${kind} (${examples.join('; ')})`,
    ),
    '',
    sourceTable(report.sources),
  ].join('\n');
}

function progressLine({ phase, done, total, file, records }: BuildProgress): string {
  if (phase === 'write') return `writing: ${counted(done, 'package')}`;
  return `reading ${file ?? ''} (${done + 1} of ${total ?? '?'} files), ${counted(records, 'record')} so far`;
}
