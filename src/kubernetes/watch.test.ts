import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuditLoop } from '../audit/audit-loop.ts';
import { createConstraintWatcher } from '../audit/constraint-watcher.ts';
import type { AuditRun } from '../audit/ports.ts';
import { fixedClock, systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { KubernetesError } from './errors.ts';
import { createKubernetesClient, type KubernetesClient } from './kubernetes-client.ts';
import { listObjects, listPages } from './list-pages.ts';
import { watchCollection } from './watch-collection.ts';

type Handler = (request: IncomingMessage, reply: ServerResponse, query: URLSearchParams) => void;
let server: Server;
let client: KubernetesClient;
let handle: Handler;
let asked: string[];

beforeEach(async () => {
  asked = [];
  server = createServer((request, reply) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    asked.push(`${request.method} ${pathname} ${searchParams.toString()}`);
    handle(request, reply, searchParams);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  client = createKubernetesClient(
    { server: `http://127.0.0.1:${port}`, insecure: false, token: 'secret' },
    systemClock,
  );
});
afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function send(reply: ServerResponse, code: number, body: unknown): void {
  reply.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function named(name: string, resourceVersion = '1'): Record<string, unknown> {
  return { metadata: { name, resourceVersion } };
}

async function collect<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of source) items.push(item);
  return items;
}

async function until(ask: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!ask()) {
    if (performance.now() > end) throw new Error('waited 5 s');
    await delay(5);
  }
}

function nameOf(object: Record<string, unknown>): string {
  return (object['metadata'] as { name: string }).name;
}

/** Serves a list, then each script line by line as one watch; after the last script watches stay open. */
function serve(items: () => unknown[], ...scripts: unknown[][]): void {
  handle = (_request, reply, query) => {
    if (!query.has('watch')) return send(reply, 200, { metadata: { resourceVersion: '10' }, items: items() });
    const script = scripts.shift();
    reply.writeHead(200, { 'content-type': 'application/json' });
    reply.flushHeaders();
    for (const event of script ?? []) reply.write(`${JSON.stringify(event)}\n`);
    if (script) reply.end();
  };
}
function observe(): { seen: string[]; watch: ReturnType<typeof watchCollection> } {
  const seen: string[] = [];
  const watch = watchCollection(
    { client, clock: systemClock, logger: silentLogger, retryMs: 10 },
    { path: '/w' },
    {
      reset: (all) => void seen.push(`= ${all.map(nameOf).join()}`),
      changed: (one) => void seen.push(`+ ${nameOf(one)}`),
      deleted: (one) => void seen.push(`- ${nameOf(one)}`),
    },
  );
  return { seen, watch };
}

describe('client', () => {
  it('sends its token and turns statuses into codes with the message of the server', async () => {
    for (const [status, code] of [
      [401, 'denied'],
      [403, 'denied'],
      [404, 'not_found'],
      [409, 'conflict'],
      [410, 'gone'],
      [500, 'unexpected_reply'],
    ] as const) {
      handle = (request, reply) => {
        expect(request.headers.authorization).toBe('Bearer secret');
        send(reply, status, { kind: 'Status', message: 'because' });
      };
      await expect(client.get('/x')).rejects.toMatchObject({ code, message: `GET /x answered ${status}: because` });
    }
    handle = (_request, reply) => void reply.end('<html>');
    await expect(client.get('/x')).rejects.toMatchObject({ code: 'unexpected_reply' });
  });

  it('says when nobody answers', async () => {
    const nobody = createKubernetesClient({ server: 'http://127.0.0.1:1', insecure: false }, systemClock);
    await expect(nobody.get('/x')).rejects.toMatchObject({ code: 'unreachable' });
    await nobody.close();
  });

  it('lists page by page and refuses what is no list', async () => {
    handle = (_request, reply, query) =>
      send(reply, 200, {
        metadata: { resourceVersion: '5', ...(query.has('continue') ? {} : { continue: 'next' }) },
        items: [named(query.get('continue') ?? 'first')],
      });
    const pages = await collect(listPages(client, '/list', { fieldSelector: 'a=b' }));
    expect(pages.flatMap((page) => page.items)).toEqual([named('first'), named('next')]);
    expect(asked[1]).toBe('GET /list fieldSelector=a%3Db&limit=500&continue=next');
    handle = (_request, reply) => send(reply, 200, { items: 3 });
    await expect(collect(listPages(client, '/list'))).rejects.toThrow(KubernetesError);
  });

  it('asks for the next page as soon as it knows where, and drops it when it stops reading', async () => {
    const { promise: dropped, resolve: drop } = Promise.withResolvers<void>();
    let first: ServerResponse | undefined;
    handle = (_request, reply, query) => {
      if (query.get('continue') === 'n') {
        reply.on('close', drop);
        // The object that the first page still owes.
        first?.end('\x12\x01x');
        return;
      }
      first = reply.writeHead(200, { 'content-type': 'application/vnd.kubernetes.protobuf' });
      reply.write('k8s\0\x12\x08\x0a\x03\x1a\x01n');
    };
    const refused = new Error('enough');
    const reader = { json: () => '', protobuf: String };
    const listing = listObjects(client, '/list', {}, reader, () => {
      throw refused;
    });
    await expect(listing).rejects.toBe(refused);
    await dropped;
  });
});

describe('watch', () => {
  it('goes on from the last version it heard of, bookmarks included', async () => {
    serve(
      () => [named('a')],
      [
        { type: 'ADDED', object: named('b', '11') },
        { type: 'DELETED', object: named('a', '12') },
        { type: 'BOOKMARK', object: { metadata: { resourceVersion: '40' } } },
      ],
      [{ type: 'MODIFIED', object: named('b', '41') }],
    );
    const { seen, watch } = observe();
    await until(() => asked.filter((one) => one.includes('watch=true')).length === 3);
    expect(seen).toEqual(['= a', '+ b', '- a', '+ b']);
    expect(asked.map((one) => /resourceVersion=(\d+)/.exec(one)?.[1])).toEqual([undefined, '10', '40', '41']);
    expect(asked[1]).toContain('allowWatchBookmarks=true');
    expect(watch.lastContact()).toBeDefined();
    await watch.stop();
  });

  it('lists anew after 410 and after anything it cannot read', async () => {
    let round = 0;
    serve(
      () => [named(`r${(round += 1)}`)],
      [{ type: 'ERROR', object: { code: 410, message: 'too old' } }],
      [{ type: 'WHAT', object: {} }],
      [{ type: 'ERROR', object: { code: 500, message: 'oh' } }],
    );
    const { seen, watch } = observe();
    await until(() => seen.length === 4);
    expect(seen).toEqual(['= r1', '= r2', '= r3', '= r4']);
    await until(() => watch.failure() === undefined);
    await watch.stop();
  });

  it('goes on where it was when a connection breaks, without a new list', async () => {
    let watches = 0;
    handle = (_request, reply, query) => {
      if (!query.has('watch')) return send(reply, 200, { metadata: { resourceVersion: '10' }, items: [named('a')] });
      watches += 1;
      reply.writeHead(200, { 'content-type': 'application/json' });
      reply.write(`${JSON.stringify({ type: 'ADDED', object: named(`w${watches}`, String(10 + watches)) })}\n`);
      if (watches < 4) setTimeout(() => reply.destroy(), 20);
    };
    const { seen, watch } = observe();
    await until(() => seen.length === 5);
    expect(seen).toEqual(['= a', '+ w1', '+ w2', '+ w3', '+ w4']);
    expect(asked.map((one) => /resourceVersion=(\d+)/.exec(one)?.[1])).toEqual([undefined, '10', '11', '12', '13']);
    await watch.stop();
  });

  it('tells what is wrong while the kind does not exist, and gets going when it does', async () => {
    handle = (_request, reply) => send(reply, 404, { message: 'no such kind' });
    const { seen, watch } = observe();
    await until(() => watch.failure()?.includes('no such kind') ?? false);
    expect(watch.lastContact()).toBeUndefined();
    serve(() => []);
    await until(() => seen.length === 1);
    await watch.stop();
  });
});

it('the constraint watcher is ready when all lists are in, also where the cluster does not know a kind, and unready when they grow old', async () => {
  const clock = fixedClock(1_000_000);
  let away = true;
  const constraint = { metadata: { name: 'n', resourceVersion: '1' }, spec: { parameters: { repos: ['a.io'] } } };
  const broken = { metadata: { name: 'b', resourceVersion: '1' }, spec: { parameters: { repos: 'a.io' } } };
  handle = (request, reply, query) => {
    if (away) return send(reply, 503, { message: 'starting' });
    if (query.has('watch')) {
      reply.writeHead(200);
      return reply.flushHeaders();
    }
    const isNamespaces = request.url?.includes('/namespaces');
    const namespace = { metadata: { name: 'demo', labels: { owner: 'operator' } } };
    const isConstraints = request.url?.includes('/k8sallowedrepos?');
    const items = isNamespaces ? [namespace] : isConstraints ? [constraint, broken] : [];
    if (request.url?.includes('expansion.gatekeeper.sh')) return send(reply, 404, { message: 'no such kind' });
    return send(reply, 200, { metadata: { resourceVersion: '1' }, items });
  };
  const watcher = createConstraintWatcher({ client, clock, logger: silentLogger, retryMs: 10 });
  await until(() => watcher.problem()?.includes('starting') ?? false);
  expect(watcher.rules()).toBeUndefined();
  away = false;
  await until(() => watcher.problem() === undefined);
  expect(watcher.rules()?.constraints.map(({ name }) => name)).toEqual(['n']);
  expect(watcher.broken()).toMatchObject([{ kind: 'K8sAllowedRepos', name: 'b' }]);
  expect(watcher.namespaceLabels('demo')).toEqual({ owner: 'operator' });
  clock.advance(31_000);
  expect(watcher.problem()).toMatch(/^the K8sAllowedRepos objects of the cluster are 31 s old/);
  await watcher.stop();
});

it('the audit loop runs at once, one pass at a time, and reports failures', async () => {
  const clock = fixedClock(0);
  const run: AuditRun = {
    cluster: 'c',
    startedAt: 0,
    finishedAt: 1,
    objects: 0,
    violations: [],
    running: [],
    incomplete: [],
  };
  let passes = 0;
  let underWay = 0;
  let fails = false;
  const loop = createAuditLoop({
    async audit() {
      passes += 1;
      underWay += 1;
      expect(underWay).toBe(1);
      await delay(5);
      underWay -= 1;
      if (fails) throw new Error('API server away');
      return run;
    },
    clock,
    logger: silentLogger,
    intervalMs: 20,
  });
  await Promise.all([loop.runNow(), loop.runNow()]);
  expect(passes).toBe(1);
  expect(loop.lastSuccess()).toBe(0);
  await until(() => passes > 2);
  fails = true;
  await until(() => loop.problem()?.includes('API server away') ?? false);
  await loop.stop();
  const after = passes;
  await delay(50);
  expect(passes).toBe(after);
});

it('the audit loop says when a pass hangs', async () => {
  const clock = fixedClock(0);
  const hanging = new Promise<AuditRun>((_resolve, reject) => setTimeout(() => reject(new Error('at last')), 50));
  const loop = createAuditLoop({ audit: () => hanging, clock, logger: silentLogger, intervalMs: 1000 });
  expect(loop.problem()).toBeUndefined();
  clock.set(5001);
  expect(loop.problem()).toBe('no cluster audit for 5 s');
  await loop.stop();
});
