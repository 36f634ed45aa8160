import { Command } from 'commander';
import type { z } from 'zod';
import { listClusterFindings } from '../../api/contract/violations.ts';
import { counted } from '../../platform/counted.ts';
import type { Cli } from '../cli.ts';
import { type ApiClient, withServer } from '../client.ts';
import { minute, startOf } from '../moments.ts';
import { type OutputOptions, printAs, table, withOutput } from '../output.ts';

type Finding = z.output<typeof listClusterFindings.reply>['items'][number];

interface Filter {
  readonly cluster?: string;
  readonly namespace?: string;
  readonly constraint?: string;
  readonly kind?: string;
  readonly since?: string;
}

const PAGE = 1000;

/** `breakwater violations list`. */
export function violationsCommand(cli: Cli): Command {
  const violations = new Command('violations').description(
    'what breaks the constraints of clusters, complete and uncut',
  );
  withOutput(violations.command('list'))
    .description('what stands by the newest audits, and what admission said in the last 30 days')
    .option('--cluster <name>', 'only in this cluster')
    .option('--namespace <name>', 'only in this namespace')
    .option('--constraint <name>', 'only what breaks this constraint')
    .option('--kind <kind>', 'only objects of this kind, like Deployment')
    .option('--since <date>', 'only what was found, or said, from this day or moment on', startOf)
    .addHelpText(
      'after',
      `
Examples:
  breakwater violations list --namespace shop
  breakwater violations list --constraint require-harbor-repo --since 2026-11-01 -o json`,
    )
    .action(async ({ output, ...filter }: OutputOptions & Filter) => {
      const found = (await withServer(cli, (api) => readAll(api, filter))).sort(byPlace);
      printAs(cli, { output }, found, () => (found.length === 0 ? 'Nothing was found.' : describe(found)));
    });
  return violations;
}

async function readAll(api: ApiClient, filter: Filter): Promise<Finding[]> {
  const found: Finding[] = [];
  let after: string | undefined;
  do {
    const query = { ...filter, limit: PAGE, ...(after === undefined ? {} : { after }) };
    const page = await api.call(listClusterFindings, { query });
    found.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return found;
}

function byPlace(a: Finding, b: Finding): number {
  const [left, right] = [placeOf(a), placeOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function placeOf({ cluster, namespace, kind, name, constraint, from, message }: Finding): string {
  return [cluster, namespace, kind, name, constraint, from, message].join('\0');
}

function describe(found: readonly Finding[]): string {
  const standing = found.filter(({ from }) => from === 'audit');
  const said = found.filter(({ from }) => from === 'admission');
  const parts: string[] = [];
  if (standing.length > 0) {
    const headings = ['cluster', 'namespace', 'kind', 'name', 'constraint', 'action', 'since', 'message'];
    const rows = standing.map((one) => [
      one.cluster,
      one.namespace,
      one.kind,
      one.name,
      one.constraint,
      one.admittedWhileAway ? `${one.action}, came while no guard answered` : one.action,
      minute(one.firstSeen),
      one.message,
    ]);
    parts.push(`${counted(standing.length, 'violation')} by the newest audits:\n${table(headings, rows)}`);
  }
  if (said.length > 0) {
    const headings = ['cluster', 'namespace', 'kind', 'owner', 'constraint', 'done', 'times', 'last', 'by', 'message'];
    const rows = said.map((one) => [
      one.cluster,
      one.namespace,
      one.owner?.kind ?? one.kind,
      one.owner?.name ?? one.name,
      one.constraint,
      one.action,
      String(one.times ?? 1),
      minute(one.lastSeen),
      one.user ?? '',
      one.message,
    ]);
    parts.push(`${counted(said.length, 'finding')} of admission in the last 30 days:\n${table(headings, rows)}`);
  }
  return parts.join('\n\n');
}
