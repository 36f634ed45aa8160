import { Command } from 'commander';
import type { z } from 'zod';
import { listViolations, runAudit } from '../../api/contract/operations.ts';
import { counted } from '../../platform/counted.ts';
import { oneLine } from '../../platform/one-line.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { minute } from '../moments.ts';
import { facts, type OutputOptions, printAs, table, withOutput } from '../output.ts';

type Run = z.output<typeof runAudit.reply>;
type AuditedCluster = z.output<typeof listViolations.reply>['runs'][number];

/** `breakwater audit run|violations`. */
export function auditCommand(cli: Cli): Command {
  const audit = new Command('audit').description('what runs in the cluster although it should not');
  withOutput(audit.command('run'))
    .description('audit the configured cluster now')
    .action(async (options: OutputOptions) => {
      const run = await withServer(cli, (api) => api.call(runAudit));
      printAs(cli, options, run, () => describeRun(run));
    });
  withOutput(audit.command('violations'))
    .description('what the newest audit of each cluster found')
    .action(async (options: OutputOptions) => {
      const { runs } = await withServer(cli, (api) => api.call(listViolations));
      printAs(cli, options, runs, () =>
        runs.length === 0 ? 'No cluster was audited yet; see "breakwater audit run".' : runs.map(describe).join('\n\n'),
      );
    });
  return audit;
}

function describeRun({ cluster, startedAt, finishedAt, objects, violations, incomplete }: Run): string {
  const seconds = Math.max(0, (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
  return [
    facts([
      ['cluster', cluster],
      ['audited', `${minute(startedAt)}, ${seconds.toFixed(1)} s`],
      ['looked at', counted(objects, 'object')],
      ['found', counted(violations, 'violation')],
    ]),
    ...incomplete.map(({ kind, reason }) => oneLine(`not seen: ${kind}: ${reason}`)),
  ].join('\n');
}

function describe(run: AuditedCluster): string {
  const rows = run.items.map(({ namespace, kind, name, action, message }) => [namespace, kind, name, action, message]);
  const head = describeRun(run);
  return rows.length === 0 ? head : `${head}\n\n${table(['namespace', 'kind', 'name', 'action', 'message'], rows)}`;
}
