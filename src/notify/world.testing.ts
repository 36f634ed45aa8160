import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freshDatabase } from '../../test/support/engines.ts';
import { verifyWebhook } from '../../test/support/verify-webhook.ts';
import { SYSTEM } from '../auth/principal.ts';
import { createSecretBox } from '../auth/secret-box.ts';
import { capabilitiesOf } from '../db/capabilities.ts';
import type { Engine } from '../db/engine.ts';
import { createLedger } from '../ledger/ledger.ts';
import { fixedClock } from '../platform/clock.ts';
import { createGuardedClient } from '../platform/guarded-request.ts';
import { silentLogger } from '../platform/logger.ts';
import { type DeliverDeps, takeReceiver, work } from './deliver.ts';
import { makeDigests } from './digests.ts';
import { dispatch } from './dispatch.ts';
import { createNotifications } from './notifications.ts';
import { addEvents, type NewEvent } from './outbox.ts';
import type { NewReceiver, ReceiverSettings } from './receiver.ts';
import type { TicketFact } from './tickets.ts';

/** Now: the library that verifies signatures looks at the real clock. */
export const START = Date.now();

/** A request that a receiver got. */
export interface Got {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that keeps what it is sent; `answer` decides about each request. */
export async function startSink() {
  const got: Got[] = [];
  const held: { answer: (request: Got, response: ServerResponse) => void } = {
    answer: (_, response) => response.end('{}'),
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one: Got = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      got.push(one);
      held.answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    got,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`,
    answerWith(answer: typeof held.answer) {
      held.answer = answer;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What a receiver makes of a request; throws when it does not verify. */
export function verified({ body, headers }: Got, secret: string): unknown {
  return verifyWebhook({ secret, headers: headers as Record<string, string>, body });
}

/** Everything of notifications over a fresh database, with the project `front`. Nothing runs by itself: `run` does what is due. */
export async function notifyWorld(engine: Engine, changes: Partial<DeliverDeps> = {}) {
  const handle = await freshDatabase(engine);
  const { db } = handle;
  const clock = fixedClock(START);
  const clients = {
    open: createGuardedClient({ userAgent: 'breakwater-test', allowPrivate: true, totalMs: 1000 }),
    closed: createGuardedClient({ userAgent: 'breakwater-test', allowPrivate: false, totalMs: 1000 }),
  };
  const facts: TicketFact[] = [];
  const deps = {
    db,
    clock,
    logger: silentLogger,
    ledger: createLedger({ db, clock }),
    box: createSecretBox(Buffer.alloc(32, 7)),
    clients,
    tickets: { inRepository: async () => facts },
    source: 'https://registry.example.com',
    host: 'registry.example.com',
    capabilities: capabilitiesOf(engine),
    random: () => 1,
    quietMs: 30_000,
    ...changes,
  };
  await db
    .insertInto('projects')
    .values({ id: 'front', name: 'front', public: 0, created_by: 'admin', created_at: 0 })
    .execute();
  const notifications = createNotifications(deps);
  return {
    handle,
    db,
    clock,
    deps,
    facts,
    notifications,
    /** Adds a receiver on this machine and gives its secret. */
    async add(
      name: string,
      url: string,
      settings: ReceiverSettings = {},
      rest: Partial<NewReceiver> = {},
      project?: 'front',
    ) {
      const home = project === undefined ? undefined : { id: project, name: project };
      const { secret } = await notifications.receivers.add(SYSTEM, home, {
        name,
        kind: 'webhook',
        target: { url },
        settings: { allowPrivate: true, allowHttp: true, ...settings },
        ...rest,
      });
      return secret ?? '';
    },
    async tell(...events: readonly NewEvent[]) {
      await db.transaction().execute((tx) => addEvents(tx, events));
    },
    /** Makes messages of all that waits, and sends what is due once to everybody who can be told. */
    async run() {
      while ((await dispatch(deps)) > 0);
      await makeDigests(deps);
      for (;;) {
        const receiver = await takeReceiver(deps);
        if (!receiver) return;
        await work(deps, receiver, new AbortController().signal);
      }
    },
    async close() {
      await clients.open.close();
      await clients.closed.close();
      await handle.close();
    },
  };
}
export type NotifyWorld = Awaited<ReturnType<typeof notifyWorld>>;

/** A verdict that changed; one of a batch unless told. */
export function verdictEvent(
  repository: string,
  at: number,
  batch?: string,
  verdict: 'block' | 'allow' = 'block',
): NewEvent {
  const digest = `sha256:${'a'.repeat(64)}`;
  return {
    type: 'VERDICT_CHANGED',
    subject: `${repository}@${digest}`,
    project: repository.split('/', 1)[0] ?? '',
    repository,
    severity: 'high',
    ...(batch === undefined ? {} : { batch }),
    at,
    data: {
      cause: batch === undefined ? 'push' : 'advisories',
      advisories: 'v2',
      total: 1,
      blocked: verdict === 'block' ? 1 : 0,
      released: verdict === 'block' ? 0 : 1,
      changes: [
        {
          repository,
          digest,
          previous: verdict === 'block' ? 'allow' : 'block',
          verdict,
          sentence: 'CVE-2026-1 in zlib 1.0, fixed in 1.1',
          severity: 'high',
          counts: {
            total: 1,
            fixable: 1,
            suppressed: 0,
            bySeverity: { none: 0, unknown: 0, negligible: 0, low: 0, medium: 0, high: 1, critical: 0 },
          },
          added: [
            {
              vulnerability: 'CVE-2026-1',
              package: 'zlib',
              installed: '1.0',
              fixed: '1.1',
              severity: 'high',
              rule: 'severity-fixable',
              verdict: 'block',
            },
          ],
          addedCount: 1,
          removed: [],
          removedCount: 0,
        },
      ],
    },
  };
}
