import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { newImage, pushUntilRefused } from '../support/pushed-image.ts';
import { startWebhookCheck } from '../support/webhook-check.ts';
import { openWire, type Wire } from '../support/wire.ts';

export interface DrillOptions {
  /** Verdicts that a change of policy turns over, each time. */
  readonly images: number;
  /** Goes on until so many have changed. */
  readonly changes: number;
  readonly kills: number;
}

export interface DrillReport {
  /** Changes of verdicts that the database holds. */
  readonly changes: number;
  /** Events about them that arrived, each counted once. */
  readonly arrived: number;
  /** Those that arrived more than once, under the same id. */
  readonly repeated: number;
  /** Changes that nobody was told of, and events about changes that never were. */
  readonly lost: number;
  readonly invented: number;
  /** Requests whose signature an independent library did not accept. */
  readonly unsigned: number;
  /** The same changes as counted by a receiver that is told many in one message, and in how many. */
  readonly summedUp: number;
  readonly sums: number;
  readonly kills: number;
}

interface Told {
  readonly id: string;
  readonly data: {
    readonly total: number;
    readonly changes: readonly {
      readonly repository: string;
      readonly digest: string;
      readonly previous: string | null;
      readonly verdict: string;
    }[];
  };
  readonly time: string;
}

const WAIT = { limitMs: 300_000, pauseMs: 500 };

/** Two programs that are told: one of each change, one of many at once. */
async function startReceiver() {
  const secrets = new Map<string, string>();
  const events = new Map<string, Told>();
  const sums = new Map<string, Told>();
  const counts = { repeated: 0, unsigned: 0 };
  const library = startWebhookCheck();

  async function take({ path, headers, body }: { path: string; headers: Record<string, string>; body: string }) {
    if ((await library.verify({ secret: secrets.get(path) ?? '', headers, body })) !== 'ok') {
      counts.unsigned += 1;
      return;
    }
    const told = JSON.parse(body) as Told;
    const known = path === '/each' ? events : sums;
    if (known.has(told.id)) counts.repeated += 1;
    known.set(told.id, told);
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = request.headers as Record<string, string>;
      const message = { path: request.url ?? '', headers, body: Buffer.concat(chunks).toString('utf8') };
      void take(message).then(() => response.end('{}'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secrets,
    events,
    sums,
    counts,
    close() {
      server.closeAllConnections();
      server.close();
      library.stop();
    },
  };
}

/** Turns verdicts over while the server is killed again and again; then compares what the database says with what arrived. */
export async function notificationDrill(options: DrillOptions, say: (text: string) => void): Promise<DrillReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'breakwater-notifications-'));
  const ports = { registry: await freePort(), webhook: await freePort(), metrics: await freePort() };
  const receiver = await startReceiver();
  let server = await startBreakwater({ dataDir, ports });
  try {
    await prepare(server, receiver, options.images);
    say(`${options.images} images are stored; their verdicts turn over until there are ${options.changes} changes`);
    let kills = 0;
    for (let turn = 1; ; turn += 1) {
      const changed = changesIn(dataDir);
      if (changed >= options.changes && kills >= options.kills) break;
      const killNow = kills < options.kills && changed >= ((kills + 1) * options.changes) / (options.kills + 1);
      const turned = turnOver(server, turn % 2 === 1 ? 'block' : 'ignore');
      if (killNow) {
        // It is cut off, or done already.
        const cutOff = turned.catch(() => undefined);
        await delay(50 + Math.random() * 400);
        await server.kill();
        kills += 1;
        await cutOff;
        server = await startBreakwater({ dataDir, ports });
        say(`killed at ${changed} changes and started again; ${receiver.events.size} events have arrived`);
      } else await turned;
    }
    await eventually('nothing to be left to tell', () => nothingLeft(server), WAIT);
    await server.stop();
    return { ...compare(dataDir, receiver), kills };
  } finally {
    await server.kill().catch(() => undefined);
    receiver.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

async function prepare(server: BreakwaterServer, receiver: Receiver, images: number): Promise<void> {
  const api = await openApi(server);
  try {
    await api.call('POST', '/projects', { name: 'front' });
    for (const name of ['each', 'many']) {
      const settings = { allowPrivate: true, allowHttp: true, events: ['VERDICT_CHANGED'], each: name === 'each' };
      const target = { url: `${receiver.origin}/${name}` };
      const { secret } = await api.call('POST', '/receivers', { name, kind: 'webhook', target, settings });
      receiver.secrets.set(`/${name}`, String(secret));
    }
    for (let at = 0; at < images; at += 1) {
      const refused = await pushUntilRefused(api.wire, newImage(`front/app${at % 20}`, `v${at}`, 2000));
      if (refused.length > 0) throw new Error(`a push was refused: ${String(refused[0]?.body)}`);
    }
  } finally {
    await api.wire.close();
  }
}

/** What cannot be analysed is blocked, or does not matter: every verdict changes. */
async function turnOver(server: BreakwaterServer, unscannable: 'block' | 'ignore'): Promise<void> {
  const api = await openApi(server);
  try {
    const { policy } = (await api.call('GET', '/projects/front/policy')) as { readonly policy: object };
    await api.call('PUT', '/projects/front/policy', { policy: { ...policy, unscannable }, reason: 'the drill' });
  } finally {
    await api.wire.close();
  }
}

async function openApi(server: BreakwaterServer): Promise<{
  readonly wire: Wire;
  call(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<Record<string, unknown>>;
}> {
  const wire = openWire({ url: server.url, user: 'admin', password: server.password });
  const authorization = `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}`;
  return {
    wire,
    async call(method, path, body) {
      const reply = await wire.send(method, `/api/v1${path}`, {
        headers: { authorization, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
      });
      if (reply.status >= 300) throw new Error(`${method} ${path} answers ${reply.status}: ${reply.body.toString()}`);
      return reply.body.length === 0 ? {} : (JSON.parse(reply.body.toString()) as Record<string, unknown>);
    },
  };
}

function changesIn(dataDir: string): number {
  return withDatabase(dataDir, (database) =>
    Number(database.prepare('select count(*) as count from verdict_changes').get()?.['count'] ?? 0),
  );
}

/** No event without its messages, no batch that is open, no message that waits. */
function nothingLeft({ dataDir }: BreakwaterServer): boolean {
  return withDatabase(dataDir, (database) => {
    const count = (query: string) => Number(database.prepare(query).get()?.['count'] ?? 0);
    return (
      count('select count(*) as count from outbox where dispatched_at is null') === 0 &&
      count('select count(*) as count from notify_batches where closed_at is null') === 0 &&
      count(`select count(*) as count from notify_messages where state = 'waiting'`) === 0 &&
      count('select count(*) as count from verdicts where changes_at < 0') === 0
    );
  });
}

function compare(dataDir: string, { events, sums, counts }: Receiver): Omit<DrillReport, 'kills'> {
  const rows = withDatabase(dataDir, (database) =>
    database.prepare('select repository, digest, previous, kind from verdict_changes').all(),
  );
  const expected = tally(rows.map((row) => [row['repository'], row['digest'], row['previous'], row['kind']].join(' ')));
  const told = tally(
    [...events.values()].flatMap(({ data }) =>
      data.changes.map(({ repository, digest, previous, verdict }) =>
        [repository, digest, previous, verdict].join(' '),
      ),
    ),
  );
  return {
    changes: rows.length,
    arrived: events.size,
    repeated: counts.repeated,
    lost: missing(expected, told),
    invented: missing(told, expected),
    unsigned: counts.unsigned,
    summedUp: [...sums.values()].reduce((sum, { data }) => sum + data.total, 0),
    sums: sums.size,
  };
}

function tally(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** How many of the first are not among the second. */
function missing(wanted: ReadonlyMap<string, number>, there: ReadonlyMap<string, number>): number {
  return [...wanted].reduce((sum, [key, count]) => sum + Math.max(0, count - (there.get(key) ?? 0)), 0);
}

function withDatabase<Result>(dataDir: string, read: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(join(dataDir, 'breakwater.db'), { readOnly: true });
  try {
    return read(database);
  } finally {
    database.close();
  }
}
