import { Command, Option } from 'commander';
import type { ReplyOf } from '../../api/contract/endpoint.ts';
import { listFindings, listHoldingImages } from '../../api/contract/findings.ts';
import { SORTS } from '../../findings/query.ts';
import { STATUSES } from '../../findings/status.ts';
import { SEVERITIES, type Severity } from '../../model/severity.ts';
import { counted } from '../../platform/counted.ts';
import { defined } from '../../platform/defined.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { day } from '../moments.ts';
import { type OutputOptions, printAs, table, withOutput } from '../output.ts';

type Findings = ReplyOf<typeof listFindings>;
type Holding = ReplyOf<typeof listHoldingImages>;

interface PageOptions extends OutputOptions {
  readonly package?: string;
  readonly limit: string;
  readonly after?: string;
}
interface ListOptions extends PageOptions {
  readonly vulnerability?: string;
  readonly severity?: Severity;
  readonly fixable?: true;
  readonly unfixable?: true;
  readonly kev?: true;
  readonly status?: string;
  readonly sort: (typeof SORTS)[number];
}

const PLACE = 'a project, or a repository like front/alpine; without it everything you may read';
const PACKAGE = 'only in this package; ending with * in all whose name begins like that';

/** `breakwater finding list|images`. */
export function findingCommand(cli: Cli): Command {
  const finding = new Command('finding').description(
    'vulnerabilities of everything that is stored, and where they are',
  );
  paged(finding.command('list'))
    .description('what verdicts say of vulnerabilities, each once for a repository, the worst first')
    .argument('[place]', PLACE)
    .option('--vulnerability <id>', 'only this one, by its id or an alias')
    .option('--package <name>', PACKAGE)
    .addOption(new Option('--severity <severity>', 'only that or worse').choices(SEVERITIES))
    .addOption(new Option('--fixable', 'only what has a fix').conflicts('unfixable'))
    .option('--unfixable', 'only what has none')
    .option('--kev', 'only what is known to be exploited')
    .option('--status <statuses>', `only what is so in an image: ${STATUSES.join(', ')}; several with commas`)
    .addOption(new Option('--sort <by>', 'in which order').choices(SORTS).default('severity'))
    .addHelpText(
      'after',
      `
Examples:
  breakwater finding list --kev --fixable
  breakwater finding list front --status blocked,in-grace --sort first-seen
  breakwater finding list front/alpine --package 'libssl*' -o json`,
    )
    .action(async (place: string | undefined, { output, fixable, unfixable, kev, ...options }: ListOptions) => {
      const query = {
        ...placeOf(place),
        ...options,
        ...(fixable ? { fixable: 'true' as const } : unfixable ? { fixable: 'false' as const } : {}),
        ...(kev ? { kev: 'true' as const } : {}),
      };
      const page = await withServer(cli, (api) => api.call(listFindings, { query }));
      printAs(cli, { output }, page, () => describe(page));
      if (!page.complete)
        cli.note('The list is not complete yet: verdicts of before the upgrade are still being added.');
      noteNext(cli, page.next);
    });
  paged(finding.command('images'))
    .description('which images hold a vulnerability, and what becomes of it in each')
    .argument('<vulnerability>', 'its id or an alias')
    .argument('[place]', PLACE)
    .option('--package <name>', PACKAGE)
    .addHelpText('after', '\nExample:\n  breakwater finding images CVE-2025-15467 front')
    .action(async (vulnerability: string, place: string | undefined, { output, ...options }: PageOptions) => {
      const query = { ...placeOf(place), ...defined(options), vulnerability };
      const page = await withServer(cli, (api) => api.call(listHoldingImages, { query }));
      printAs(cli, { output }, page, () => describeImages(page));
      noteNext(cli, page.next);
    });
  return finding;
}

function paged(command: Command): Command {
  return withOutput(command)
    .option('--limit <number>', 'at most so many, up to 1000', '50')
    .option('--after <place>', 'go on where a page ended');
}

function placeOf(place: string | undefined): { readonly project?: string; readonly repository?: string } {
  if (place === undefined) return {};
  return place.includes('/') ? { repository: place } : { project: place };
}

function noteNext(cli: Cli, next: string | undefined): void {
  if (next !== undefined) cli.note(`There are more; the next page: --after ${JSON.stringify(next)}`);
}

function describe({ items, total }: Findings): string {
  if (items.length === 0) return 'Nothing was found.';
  const headings = [
    'severity',
    'vulnerability',
    'package',
    'installed',
    'fixed',
    'kev',
    'epss',
    'repository',
    'since',
    'images',
  ];
  const rows = items.map((one) => [
    one.severity,
    one.vulnerability,
    one.package,
    one.installed,
    one.fixed ?? '',
    one.kev ? 'yes' : '',
    one.epss === undefined ? '' : `${(one.epss * 100).toFixed(1)} %`,
    one.repository,
    day(one.firstSeen),
    STATUSES.flatMap((status) => {
      const images = one.statuses[status];
      return images === undefined ? [] : [`${images} ${status}`];
    }).join(', '),
  ]);
  return `${counted(total, 'finding')}:\n${table(headings, rows)}`;
}

function describeImages({ items }: Holding): string {
  if (items.length === 0) return 'No image holds it.';
  const rows = items.map((one) => [
    one.repository,
    one.tags.join(', '),
    one.digest,
    one.package,
    one.installed,
    one.fixed ?? '',
    one.severity,
    one.status,
  ]);
  return table(['repository', 'tags', 'digest', 'package', 'installed', 'fixed', 'severity', 'status'], rows);
}
