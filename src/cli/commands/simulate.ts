import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { Command } from 'commander';
import {
  type Simulation,
  type SimulationQuestion,
  simulateAdvisories,
  simulateAll,
  simulateProject,
} from '../../api/contract/simulations.ts';
import { defined } from '../../platform/defined.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { readExceptionFile } from '../exceptions/read-file.ts';
import { CliError, EXIT } from '../exit.ts';
import { endOf, laterMoment } from '../moments.ts';
import { type OutputOptions, printAs, withOutput } from '../output.ts';
import { collectField, parsePolicy } from '../policy/input.ts';
import { renderSimulation } from '../simulation-text.ts';

interface Options extends OutputOptions {
  readonly policy?: string;
  readonly block?: string;
  readonly warn?: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly exception?: readonly string[];
  readonly except?: string;
  readonly package?: string;
  readonly version?: string;
  readonly repository?: string;
  readonly digest?: string;
  readonly exceptUntil?: string;
  readonly revoke?: string[];
  readonly retire?: string[];
  readonly advisories?: string;
  readonly at?: string;
  readonly until?: string;
  readonly failOnBlock?: true;
}

const USUAL_END = '+30d';

type Exceptions = NonNullable<SimulationQuestion['exceptions']>;

/** `breakwater simulate [project]`: what a change would do, before it is made. */
export function simulateCommand(cli: Cli): Command {
  return withOutput(new Command('simulate'))
    .description('what would be blocked or allowed of everything stored and running, and when; changes nothing')
    .argument('[project]', 'only this project; exceptions are granted in it, else in all')
    .option('--policy <file>', 'with this policy document, as "policy set" takes it')
    .option('--block <severity>', 'with this threshold of blocking, as "project update --block"')
    .option('--warn <severity>', 'with this threshold of warning')
    .option('--set <field=value>', 'with another value in a field of the policy; may be repeated', collectField)
    .option('--exception <file>', 'with the exceptions of this file granted, YAML or JSON; may be repeated', addText)
    .option('--except <vulnerability>', 'with an exception for this vulnerability, limited by what follows')
    .option('--package <name>', '… only in this package or source package')
    .option('--version <version>', '… only in this version of the package')
    .option('--repository <glob>', '… only in these repositories below the project')
    .option('--digest <digest>', '… only in this image')
    .option('--except-until <date>', '… until this day (30 days ahead unless told)', endOf)
    .option('--revoke <id>', 'without this exception; may be repeated', addText)
    .option('--retire <entry>', 'without this trusted source; may be repeated', addText)
    .option('--advisories <file>', 'with the advisory database in this file')
    .option('--at <moment>', 'as it will be then: a day, an RFC 3339 moment, or a time ahead like +30d', laterMoment)
    .option('--until <moment>', 'also list what time alone changes until then, like +90d', laterMoment)
    .option('--fail-on-block', 'end with 1 when the next pull of something running would be refused, and is not today')
    .addHelpText(
      'after',
      `
Examples:
  breakwater simulate front --block high
  breakwater simulate --policy strict.yaml --fail-on-block
  breakwater simulate front --set graceDays.fixable.high=7 --until +30d
  breakwater simulate front --except CVE-2024-12345 --package openssl
  breakwater simulate --retire docker.io/bitnami
  breakwater simulate --advisories advisories.sqlite.zst
  breakwater simulate --until +90d

Exit codes: 0 answered; 1 with --fail-on-block, when something that runs would fail anew; 2 wrong usage; 3 anything else.`,
    )
    .action(async (project: string | undefined, options: Options) => {
      const question = await questionOf(cli, options);
      const found = await ask(cli, project, question, options.advisories);
      printAs(cli, options, found, () => renderSimulation(found));
      if (options.failOnBlock && found.running.newlyFailing > 0) cli.exitWith(EXIT.negative);
    });
}

async function ask(
  cli: Cli,
  project: string | undefined,
  body: SimulationQuestion,
  advisories: string | undefined,
): Promise<Simulation> {
  if (advisories === undefined)
    return withServer(cli, (api) =>
      project === undefined
        ? api.call(simulateAll, { body })
        : api.call(simulateProject, { params: { project }, body }),
    );
  if (project !== undefined)
    throw new CliError('usage', 'advisories are those of all projects: leave the project out with --advisories');
  const info = await stat(advisories);
  if (!info.isFile()) throw new CliError('usage', `${advisories} is no file; give one that "breakwater db build" made`);
  const content = createReadStream(advisories);
  return withServer(cli, (api) =>
    api.upload(simulateAdvisories, { content, size: info.size }, { query: { question: JSON.stringify(body) } }),
  );
}

async function questionOf(cli: Cli, options: Options): Promise<SimulationQuestion> {
  const { block, warn, set, revoke, retire, at, until } = options;
  const exceptions = await exceptionsOf(cli, options);
  return {
    ...(options.policy === undefined ? {} : { policy: await readPolicy(options.policy) }),
    ...(block === undefined ? {} : { block: block as NonNullable<SimulationQuestion['block']> }),
    ...(warn === undefined ? {} : { warn: warn as NonNullable<SimulationQuestion['warn']> }),
    ...(set === undefined ? {} : { set: { ...set } }),
    ...(exceptions.length === 0 ? {} : { exceptions }),
    ...(revoke === undefined ? {} : { revoke }),
    ...(retire === undefined ? {} : { retire }),
    ...(at === undefined ? {} : { at }),
    ...(until === undefined ? {} : { until }),
  };
}

async function exceptionsOf(cli: Cli, options: Options): Promise<Exceptions> {
  const { except, exceptUntil, package: name, version, repository, digest } = options;
  const narrowed = { package: name, version, repository, digest };
  if (except === undefined && Object.values({ ...narrowed, exceptUntil }).some((value) => value !== undefined))
    throw new CliError('usage', '--package, --version, --repository, --digest and --except-until need --except');
  const written = await Promise.all((options.exception ?? []).map((file) => readExceptions(cli, file)));
  const own =
    except === undefined
      ? []
      : [
          {
            vulnerability: except,
            ...(defined(narrowed) as object),
            until: exceptUntil ?? laterMoment(USUAL_END),
          },
        ];
  return [...written.flat(), ...own];
}

/** Those of a file, as `exception request --file` and `exception import` take them; what does not say its end ends in 30 days. */
async function readExceptions(cli: Cli, file: string): Promise<Exceptions> {
  const { entries } = await readExceptionFile(cli, file, undefined);
  return entries.map((entry) => ({ until: laterMoment(USUAL_END), ...entry }));
}

async function readPolicy(file: string): Promise<Record<string, unknown>> {
  return parsePolicy(await readFile(file, 'utf8'), file);
}

function addText(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
