import { type Command, InvalidArgumentError, Option } from 'commander';
import { type OutputOptions, withOutput } from '../output.ts';

/** What every import can be told. */
export interface ImportOptions extends OutputOptions {
  readonly project?: string;
  readonly defaultProject?: string;
  readonly createProjects?: boolean;
  readonly filter: readonly string[];
  readonly dryRun?: boolean;
  readonly jobs: number;
}

const JOBS = 4;
const MOST_JOBS = 32;

/** Adds the options of `ImportOptions`. */
export function withImportOptions(command: Command): Command {
  return withOutput(command)
    .addOption(new Option('--project <name>', 'put everything below this project').conflicts('defaultProject'))
    .option('--default-project <name>', 'project of repositories whose name has one part only')
    .option('--create-projects', 'make the projects that do not exist')
    .option('--filter <pattern>', 'only these, like "front/**" or "front/*:v*"; may be repeated', collect, [])
    .option('--dry-run', 'only say what would be imported, and how large it is')
    .option('--jobs <count>', 'images and blobs at once', parseJobs, JOBS);
}

function collect(pattern: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, pattern];
}

function parseJobs(text: string): number {
  const jobs = Number(text);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > MOST_JOBS)
    throw new InvalidArgumentError(`Write a whole number from 1 to ${MOST_JOBS}.`);
  return jobs;
}
