import { Command } from 'commander';
import type { z } from 'zod';
import { gcStatus, runGc } from '../../api/contract/garbage.ts';
import { counted } from '../../platform/counted.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { minute } from '../moments.ts';
import { bytes, facts, type OutputOptions, printAs, table, withOutput } from '../output.ts';

type Status = z.output<typeof gcStatus.reply>;
type Run = z.output<typeof runGc.reply>;

/** `breakwater gc status|run`. */
export function gcCommand(cli: Cli): Command {
  const gc = new Command('gc').description('giving up what nothing refers to any more');
  withOutput(gc.command('status'))
    .description('what waits to be reviewed, what the last run did, how the stored blobs are')
    .action(async (options: OutputOptions) => {
      const status = await withServer(cli, (api) => api.call(gcStatus));
      printAs(cli, options, status, () => describeStatus(status));
    });
  withOutput(gc.command('run'))
    .description('collect the garbage that is due, instead of waiting for the next minute')
    .option('--dry-run', 'only say what would be deleted now')
    .action(async (options: OutputOptions & { dryRun?: boolean }) => {
      const body = { dryRun: options.dryRun === true };
      const run = await withServer(cli, (api) => api.call(runGc, { body }));
      printAs(cli, options, run, () => describeRun(run, body.dryRun));
    });
  return gc;
}

function describeStatus({ delaySeconds, queue, damaged, lastRun, scrub }: Status): string {
  const rows = [
    ['manifests', queue.manifest],
    ['blobs in a repository', queue.link],
    ['blobs in no repository', queue.blob],
  ] as const;
  return [
    table(
      ['to review', 'waiting', 'due', 'overdue', 'failing'],
      rows.map(([name, { waiting, due, overdue, failing }]) => [name, ...[waiting, due, overdue, failing].map(String)]),
    ),
    '',
    facts([
      ['delay', `${delaySeconds / 3600} h`],
      ['last run', lastRun && `${minute(lastRun.at)}: ${deletedText(lastRun)}`],
      ['read again', scrub && scrubText(scrub)],
      ['damaged', damaged === 0 ? undefined : `${counted(damaged, 'blob')}, not served until pushed again`],
    ]),
  ].join('\n');
}

function scrubText({ startedAt, finishedAt, checked, bytes: size, unreadable }: NonNullable<Status['scrub']>): string {
  const when = finishedAt === undefined ? `since ${minute(startedAt)}` : `until ${minute(finishedAt)}`;
  const failed = unreadable === 0 ? '' : `, ${unreadable} could not be read`;
  return `${counted(checked, 'blob')}, ${bytes(size)}, ${when}${failed}`;
}

function describeRun(run: Run, dryRun: boolean): string {
  const lines = [`${dryRun ? 'Would delete' : 'Deleted'}: ${deletedText(run)}`];
  if (dryRun) lines.push('What only becomes garbage by that comes on top, after its own delay.');
  if (run.failed > 0) lines.push(`${counted(run.failed, 'review')} failed and will be tried again; see the log.`);
  if (run.more) lines.push('There is more to review; it goes on by itself.');
  return lines.join('\n');
}

function deletedText({ deleted: { manifest, link, blob }, bytes: size }: Pick<Run, 'deleted' | 'bytes'>): string {
  return `${counted(manifest, 'manifest')}, ${counted(link, 'blob')} out of repositories, ${counted(blob, 'blob')} altogether (${bytes(size)})`;
}
