import { setTimeout as wait } from 'node:timers/promises';
import { createFilter, nameHere } from '../../importer/names.ts';
import type { ImportDeps } from '../../importer/options.ts';
import { createPatience, type Patience } from '../../importer/patience.ts';
import type { Problem } from '../../importer/ports.ts';
import { addProblem, type ImportReport } from '../../importer/report.ts';
import { importAll } from '../../importer/run.ts';
import { systemClock } from '../../platform/clock.ts';
import { counted } from '../../platform/counted.ts';
import { oneLine } from '../../platform/one-line.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit.ts';
import { bytes, facts, printAs } from '../output.ts';
import type { ImportOptions } from './options.ts';

/** Between two lines about a repository that takes long. */
const SAID_EVERY_MS = 15_000;

/** Counts and says at once what cannot be imported. */
export function noteProblem(cli: Pick<Cli, 'note'>, report: ImportReport): (problem: Problem) => void {
  return (problem) => {
    addProblem(report, problem);
    cli.note(`not imported: ${oneLine(problem.what).slice(0, 400)}: ${oneLine(problem.reason)}`);
  };
}

/** Waits for registries that are busy, and says so. */
export function createSaidPatience(cli: Pick<Cli, 'note'>): Patience {
  return createPatience({
    clock: systemClock,
    wait: (ms) => wait(ms),
    onPause: (seconds, why) => cli.note(`waiting ${seconds} s: ${oneLine(why)}`),
  });
}

interface ImportParts extends ImportDeps {
  readonly report: ImportReport;
}

/** Imports, and says on standard error how it goes. */
export async function runImport(
  cli: Cli,
  { report, ...deps }: ImportParts,
  options: ImportOptions & { readonly taggedOnly?: boolean },
): Promise<void> {
  let saidAt = systemClock.now();
  const how = {
    filter: createFilter(options.filter),
    nameHere: (repository: string) => nameHere(repository, options),
    taggedOnly: options.taggedOnly === true,
    dryRun: options.dryRun === true,
    jobs: options.jobs,
    onProblem: noteProblem(cli, report),
    onRepository: (repository: string) => cli.note(`${oneLine(repository)}: done; so far ${soFar(report)}`),
    onProgress() {
      const now = systemClock.now();
      if (now - saidAt < SAID_EVERY_MS) return;
      saidAt = now;
      cli.note(`so far ${soFar(report)}`);
    },
  };
  await importAll(deps, how, report);
}

/** Prints the report and chooses the exit code. */
export function printReport(cli: Cli, options: ImportOptions, report: ImportReport): void {
  const { firstProblems, ...counts } = report;
  printAs(cli, options, { dryRun: options.dryRun === true, ...counts, notImported: firstProblems }, () =>
    describe(report, options.dryRun === true),
  );
  if (report.problems > 0) cli.exitWith(EXIT.negative);
}

function soFar({ repositories, tags, blobs, bytes: size }: ImportReport): string {
  return `${counted(repositories, 'repository', 'repositories')}, ${counted(tags.imported, 'tag')}, ${counted(blobs.imported, 'blob')}, ${bytes(size)}`;
}

const here = (count: number) => (count === 0 ? '' : `, ${count} here already`);

function describe({ repositories, tags, manifests, blobs, bytes: size, problems }: ImportReport, dry: boolean): string {
  const shared = blobs.mounted === 0 ? '' : `, ${blobs.mounted} shared with other repositories`;
  const linked = blobs.linked === 0 ? '' : `, ${blobs.linked} of them linked`;
  return facts([
    [dry ? 'would import' : 'imported', counted(repositories, 'repository', 'repositories')],
    ['tags', `${tags.imported}${here(tags.present)}`],
    ['manifests', `${manifests.imported}${here(manifests.present)}`],
    ['blobs', `${blobs.imported} (${bytes(size)})${linked}${shared}${here(blobs.present)}`],
    [
      'left behind',
      problems === 0 ? 'nothing' : `${problems}, named above; the same command again tries only what is missing`,
    ],
  ]);
}
