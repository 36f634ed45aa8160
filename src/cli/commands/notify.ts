import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  addReceiver,
  getReceiver,
  listMessages,
  listReceivers,
  type ReceiverReply,
  removeReceiver,
  resendMessages,
  rotateReceiver,
  setReceiverPaused,
  testReceiver,
} from '../../api/contract/notifications.ts';
import { SEVERITIES, type Severity } from '../../model/severity.ts';
import { EVENT_TYPES, type EventType } from '../../notify/event-data.ts';
import { MESSAGE_STATES, type MessageState } from '../../notify/message-list.ts';
import type { ReceiverKind, ReceiverSettings, ReceiverTarget } from '../../notify/receiver.ts';
import { counted } from '../../platform/counted.ts';
import { defined } from '../../platform/defined.ts';
import { messageOf } from '../../platform/errors.ts';
import { listed } from '../../platform/listed.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { minute } from '../moments.ts';
import { facts, type OutputOptions, printAs, table, withOutput } from '../output.ts';
import { readInput } from '../prompt.ts';
import { secretFacts, secretText } from '../secrets-text.ts';

interface HomeOptions {
  readonly project?: string;
}

interface AddOptions extends OutputOptions, HomeOptions {
  readonly webhook?: string;
  readonly slack?: string;
  readonly mail?: string[];
  readonly ticket?: string;
  readonly template?: string;
  readonly authorizationFile?: string;
  readonly format?: 'cloudevents' | 'harbor';
  readonly events?: EventType[];
  readonly repositories?: string[];
  readonly minSeverity?: Severity;
  readonly onlyNewBlocks?: boolean;
  readonly each?: boolean;
  readonly digest?: 'hourly' | 'daily';
  readonly allowPrivate?: boolean;
  readonly allowHttp?: boolean;
}

/** `breakwater notify …`. */
export function notifyCommand(cli: Cli): Command {
  const notify = new Command('notify').description('who is told of what happens: webhooks, mail, Slack, tickets');
  addAdd(notify, cli);
  addReading(notify, cli);
  addMessages(notify, cli);
  addRotate(notify, cli);
  addPause(notify, cli, 'pause', true);
  addPause(notify, cli, 'resume', false);
  inHome(notify.command('remove'))
    .description('tell it nothing any more; what it was not told yet is forgotten')
    .argument('<name>')
    .action(async (name: string, options: HomeOptions) => {
      await withServer(cli, (api) => api.call(removeReceiver, { params: { receiver: name }, query: homeOf(options) }));
      cli.print(`${name} is told nothing any more.`);
    });
  return notify;
}

function inHome(command: Command): Command {
  return command.option('--project <name>', 'of this project; without it, of the installation');
}

function homeOf({ project }: HomeOptions): { project?: string } {
  return project === undefined ? {} : { project };
}

function addAdd(notify: Command, cli: Cli): void {
  withOutput(inHome(notify.command('add')))
    .description('tell somebody of what happens; the secret that signs it is printed once')
    .argument('<name>', 'lower-case letters, digits and single . _ - between them')
    .option('--webhook <url>', 'a program, by signed HTTP requests')
    .option('--slack <url>', 'an incoming webhook of Slack, or of what takes the same')
    .option('--mail <addresses>', 'people, comma separated', listed)
    .option('--ticket <url>', 'an issue tracker: one ticket for each vulnerability and repository')
    .option('--template <file>', 'JSON: how its tickets are opened, updated and closed')
    .option(
      '--authorization-file <file>',
      'holds what is sent in the header "authorization"; "-" reads it from standard input',
    )
    .addOption(new Option('--format <form>', 'of a webhook; default: cloudevents').choices(['cloudevents', 'harbor']))
    .option('--events <types>', `only these, comma separated: ${EVENT_TYPES.join(', ')}`, eventTypes)
    .option('--repositories <globs>', 'only what concerns these, comma separated: front/**,back/app', listed)
    .addOption(new Option('--min-severity <severity>', 'only findings as bad as that').choices([...SEVERITIES]))
    .option('--only-new-blocks', 'of verdicts only those that block now and did not before')
    .option('--each', 'each verdict by itself, also of an update that changes thousands')
    .addOption(
      new Option('--digest <how-often>', 'all of an hour or a day in one message').choices(['hourly', 'daily']),
    )
    .option('--allow-private', 'it may be in a private network; for administrators')
    .option('--allow-http', 'it may be without TLS; for administrators')
    .addHelpText(
      'after',
      `
Examples:
  breakwater notify add siem --webhook https://siem.example.com/in --each
  breakwater notify add chat --project front --slack https://hooks.slack.com/services/… --only-new-blocks
  breakwater notify add owners --project front --mail ann@example.com,bob@example.com --digest daily
  breakwater notify add jira --project front --ticket https://jira.example.com/rest/api/2 --template jira.json --min-severity high`,
    )
    .action(async (name: string, options: AddOptions) => {
      const body = { name, ...(await targetOf(cli, options)), settings: await settingsOf(options) };
      const made = await withServer(cli, (api) => api.call(addReceiver, { query: homeOf(options), body }));
      printAs(cli, options, made, () =>
        made.secret === undefined ? describe(made) : `${describe(made)}\n\n${secretText({ secret: made.secret })}`,
      );
    });
}

async function targetOf(cli: Cli, options: AddOptions): Promise<{ kind: ReceiverKind; target: ReceiverTarget }> {
  const { webhook, slack, mail, ticket, authorizationFile } = options;
  const given = Object.entries({ webhook, slack, mail, ticket }).filter(([, value]) => value !== undefined);
  const [[kind] = []] = given;
  if (given.length !== 1 || kind === undefined)
    throw new CliError('usage', 'say how it is told with one of --webhook, --slack, --mail and --ticket');
  if (mail !== undefined) return { kind: 'mail', target: { to: mail } };
  const authorization = authorizationFile === undefined ? undefined : await secretIn(cli, authorizationFile);
  const url = webhook ?? slack ?? ticket ?? '';
  return { kind: kind as ReceiverKind, target: { url, ...(authorization === undefined ? {} : { authorization }) } };
}

async function secretIn(cli: Cli, path: string): Promise<string> {
  return (path === '-' ? await readInput(cli) : await readGiven(path)).trim();
}

async function settingsOf(options: AddOptions): Promise<ReceiverSettings> {
  const { format, events, repositories, minSeverity, onlyNewBlocks, each, digest, allowPrivate, allowHttp } = options;
  const ticket = options.template === undefined ? undefined : await templateIn(options.template);
  return defined({
    format,
    events,
    repositories,
    minSeverity,
    onlyNewBlocks,
    each,
    digest,
    allowPrivate,
    allowHttp,
    ticket,
  });
}

/** The server checks what it says. */
async function templateIn(path: string): Promise<NonNullable<ReceiverSettings['ticket']>> {
  try {
    return JSON.parse(await readGiven(path)) as NonNullable<ReceiverSettings['ticket']>;
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('usage', `${path} is not JSON: ${messageOf(error)}`);
  }
}

async function readGiven(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CliError('usage', `${path} cannot be read: ${messageOf(error)}`);
  }
}

function addReading(notify: Command, cli: Cli): void {
  withOutput(inHome(notify.command('list')))
    .description('who is told')
    .action(async (options: OutputOptions & HomeOptions) => {
      const { items } = await withServer(cli, (api) => api.call(listReceivers, { query: homeOf(options) }));
      printAs(cli, options, items, () =>
        items.length === 0
          ? 'Nobody is told yet; add somebody with "breakwater notify add".'
          : table(
              ['receiver', 'kind', 'address', 'state', 'waiting', 'dead', 'last delivered'],
              items.map((item) => [
                item.name,
                item.kind,
                item.address,
                stateOf(item),
                String(item.waiting),
                String(item.dead),
                item.lastDeliveredAt === undefined ? 'never' : minute(item.lastDeliveredAt),
              ]),
            ),
      );
    });
  withOutput(inHome(notify.command('show')))
    .description('one receiver')
    .argument('<name>')
    .action(async (name: string, options: OutputOptions & HomeOptions) => {
      const found = await withServer(cli, (api) =>
        api.call(getReceiver, { params: { receiver: name }, query: homeOf(options) }),
      );
      printAs(cli, options, found, () => describe(found));
    });
  withOutput(inHome(notify.command('test')))
    .description('send it a message now and see what becomes of it')
    .argument('<name>')
    .action(async (name: string, options: OutputOptions & HomeOptions) => {
      const outcome = await withServer(cli, (api) =>
        api.call(testReceiver, { params: { receiver: name }, query: homeOf(options) }),
      );
      if (!outcome.delivered) cli.exitWith(EXIT.negative);
      printAs(cli, options, outcome, () =>
        outcome.delivered ? `${name} took it.` : `${name} did not take it: ${outcome.error ?? ''}`,
      );
    });
}

interface MessagesOptions extends OutputOptions, HomeOptions {
  readonly state?: MessageState;
  readonly limit: number;
}

function addMessages(notify: Command, cli: Cli): void {
  withOutput(inHome(notify.command('messages')))
    .description('what it was sent and what became of it, the newest first')
    .argument('<name>')
    .addOption(
      new Option('--state <state>', 'only these; "dead" were given up after three days').choices([...MESSAGE_STATES]),
    )
    .option('--limit <count>', 'at most so many', wholeNumber, 50)
    .action(async (name: string, { state, limit, ...options }: MessagesOptions) => {
      const query = { ...homeOf(options), limit, ...(state === undefined ? {} : { state }) };
      const { items } = await withServer(cli, (api) => api.call(listMessages, { params: { receiver: name }, query }));
      printAs(cli, options, items, () =>
        items.length === 0
          ? 'There are no such messages.'
          : table(
              ['message', 'type', 'subject', 'at', 'state', 'attempts', 'last error'],
              items.map((item) => [
                item.id,
                item.type,
                item.subject,
                minute(item.at),
                item.state,
                String(item.attempts),
                item.lastError ?? '',
              ]),
            ),
      );
    });
  withOutput(inHome(notify.command('resend')))
    .description('send again, under the same id: one message, or all that were given up')
    .argument('<name>')
    .option('--message <id>', 'this one, whatever became of it')
    .action(async (name: string, { message, ...options }: OutputOptions & HomeOptions & { message?: string }) => {
      const body = message === undefined ? {} : { message };
      const done = await withServer(cli, (api) =>
        api.call(resendMessages, { params: { receiver: name }, query: homeOf(options), body }),
      );
      printAs(cli, options, done, () =>
        done.messages === 0 ? 'Nothing was given up.' : `${counted(done.messages, 'message')} will be sent again.`,
      );
    });
}

function addRotate(notify: Command, cli: Cli): void {
  withOutput(inHome(notify.command('rotate')))
    .description('give it a second secret; what it is sent is signed with both for a while')
    .argument('<name>')
    .option('--overlap <hours>', 'how long the first one still signs, 24 unless told; 0 ends it at once', wholeNumber)
    .action(async (name: string, { overlap, ...options }: OutputOptions & HomeOptions & { overlap?: number }) => {
      const body = overlap === undefined ? {} : { overlapHours: overlap };
      const rotated = await withServer(cli, (api) =>
        api.call(rotateReceiver, { params: { receiver: name }, query: homeOf(options), body }),
      );
      printAs(cli, options, rotated, () => `${describe(rotated)}\n\n${secretText(rotated)}`);
    });
}

function addPause(notify: Command, cli: Cli, verb: string, paused: boolean): void {
  inHome(notify.command(verb))
    .description(paused ? 'hold back what is for it' : 'undo pause: what was held back goes out now')
    .argument('<name>')
    .action(async (name: string, options: HomeOptions) => {
      const { waiting } = await withServer(cli, (api) =>
        api.call(setReceiverPaused, { params: { receiver: name }, query: homeOf(options), body: { paused } }),
      );
      cli.print(
        paused
          ? `What is for ${name} waits until "notify resume".`
          : `${name} is told again; ${counted(waiting, 'message')} waiting.`,
      );
    });
}

function stateOf({ paused, failures, retryAt }: ReceiverReply): string {
  if (paused) return 'paused';
  if (failures === 0) return 'ok';
  return `failing (${failures})${retryAt === undefined ? '' : `, again ${minute(retryAt)}`}`;
}

function describe(receiver: ReceiverReply): string {
  const { settings } = receiver;
  return facts([
    ['receiver', receiver.name],
    ['project', receiver.project],
    ['kind', settings.format === undefined ? receiver.kind : `${receiver.kind} (${settings.format})`],
    ['address', receiver.address],
    ['state', stateOf(receiver)],
    ['events', settings.events?.join(', ') ?? 'all'],
    ['repositories', settings.repositories?.join(', ')],
    ['from severity', settings.minSeverity],
    ['verdicts', settings.onlyNewBlocks ? 'only new blocks' : undefined],
    ['digest', settings.digest],
    ['waiting', String(receiver.waiting)],
    ['dead', String(receiver.dead)],
    ['last delivered', receiver.lastDeliveredAt === undefined ? 'never' : minute(receiver.lastDeliveredAt)],
    ['last error', receiver.lastError],
    ...secretFacts(receiver.secrets),
  ]);
}

function eventTypes(text: string): EventType[] {
  return listed(text).map((word) => {
    const type = EVENT_TYPES.find((known) => known === word.toUpperCase().replaceAll('-', '_'));
    if (type) return type;
    throw new InvalidArgumentError(`"${word}" is no event. There is ${EVENT_TYPES.join(', ')}.`);
  });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('Write a whole number, like 24.');
  return Number(text);
}
