import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditRun } from '../../audit/ports.ts';
import { createFactsMemory, type FactsMemory } from '../../facts/memory.ts';
import type { FactsPage } from '../../facts/page.ts';
import { parseReference } from '../../oci/reference.ts';
import { fixedClock } from '../../platform/clock.ts';
import { silentLogger } from '../../platform/logger.ts';
import { createAuditReports } from './audit-reports.ts';
import { type Following, followFacts } from './follow.ts';
import { createRunningElsewhere, type RunningElsewhere } from './running-elsewhere.ts';
import { createServerClient, type FactsQuestion, type ServerClient } from './server-client.ts';

const NOW = 1_800_000_000_000;
const HOST = 'registry.example.com';
const first = `sha256:${'1'.repeat(64)}`;
const BACKOFF = { first: 5, longest: 20 };
const page = (over: Partial<FactsPage> = {}): FactsPage => ({
  complete: true,
  cursor: 'c1',
  hosts: [HOST],
  trusted: [],
  upstreams: [],
  repositories: [],
  ...over,
});
const whole = page({
  reset: true,
  covers: ['front'],
  repositories: [{ name: 'front/app', tags: [['1', first]], images: [[first, 'block', 1, 'bad']] }],
});

/** A server that answers as it is told to, and remembers what it was asked. */
let server: Server;
let answer: (body: string, response: ServerResponse, request: IncomingMessage) => void | Promise<void>;
let asked: FactsQuestion[];
let folder: string;
let client: ServerClient;
let memory: FactsMemory;
let running: RunningElsewhere;
let following: Following | undefined;
let clock: ReturnType<typeof fixedClock>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-link-'));
  await writeFile(join(folder, 'token'), 'robot$guard:secret\n');
  asked = [];
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      if (request.url === '/api/v1/guard/facts') asked.push(JSON.parse(body) as FactsQuestion);
      void answer(body, response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = createServerClient({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokenFile: join(folder, 'token'),
  });
  memory = createFactsMemory();
  running = createRunningElsewhere({ hosts: () => memory.hosts(), covers: () => memory.covers() });
  clock = fixedClock(NOW);
});
afterEach(async () => {
  await following?.stop();
  following = undefined;
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

function follow(from?: { cursor: string; asOf: number }): Following {
  following = followFacts({
    client,
    memory,
    clock,
    logger: silentLogger,
    projects: ['front'],
    running,
    from,
    onChange: () => undefined,
    backoff: BACKOFF,
  });
  return following;
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

async function until(what: string, ask: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!ask()) {
    if (performance.now() > end) throw new Error(`waited 20 s for: ${what}`);
    await delay(5);
  }
}

const verdict = () => memory.about(parseReference(`${HOST}/front/app:1`));

describe('following a server', () => {
  it('asks for everything with its account, then waits for news from where it is', async () => {
    let authorization = '';
    answer = (_body, response, request) => {
      authorization = String(request.headers.authorization);
      if (asked.length === 1) json(response, whole);
    };
    const { firstTry, asOf, cursor } = follow();
    await firstTry;
    await until('the second question', () => asked.length === 2);
    expect(Buffer.from(authorization.slice(6), 'base64').toString()).toBe('robot$guard:secret');
    expect(asked).toMatchObject([
      { waitSeconds: 0, projects: ['front'] },
      { waitSeconds: 25, cursor: 'c1' },
    ]);
    expect(asked[0]?.cursor).toBeUndefined();
    expect([asOf(), cursor(), verdict()]).toMatchObject([NOW, 'c1', { verdict: { kind: 'block' } }]);
  });

  it('goes on from a snapshot, and does not take it for news while the server is away', async () => {
    memory.apply(whole);
    answer = (_body, response) => void response.destroy();
    const { firstTry, asOf, failure } = follow({ cursor: 'c9', asOf: NOW - 5000 });
    await firstTry;
    expect(failure()).toContain('cannot be reached');
    await until('more questions', () => asked.length > 3);
    expect(asked.every((one) => one.cursor === 'c9' && one.waitSeconds === 0)).toBe(true);
    expect(asOf()).toBe(NOW - 5000);
    answer = (_body, response) => json(response, page({ cursor: 'c10' }));
    await until('the server to be back', () => failure() === undefined);
    expect(asOf()).toBe(NOW);
  });

  it('takes a new secret from its file without a restart', async () => {
    answer = (_body, response, request) =>
      request.headers.authorization === `Basic ${Buffer.from('robot$guard:new').toString('base64')}`
        ? json(response, whole)
        : json(response, { detail: 'wrong password' }, 401);
    const { firstTry, failure } = follow();
    await firstTry;
    expect(failure()).toContain('answered 401: wrong password');
    await writeFile(join(folder, 'token'), 'robot$guard:new');
    await until('the new secret to be used', () => failure() === undefined);
  });

  it('asks about images that run in projects it does not follow, once', async () => {
    answer = (_body, response) => {
      const question = asked.at(-1);
      if (question?.cursor === undefined) return json(response, whole);
      if ((question.ask ?? []).length > 0)
        json(
          response,
          page({ repositories: [{ name: 'back/app', tags: [['2', first]], images: [[first, 'warn', 1, 'w']] }] }),
        );
    };
    const { firstTry, askNow } = follow();
    await firstTry;
    const runs = [`${HOST}/back/app:2`, `${HOST}/front/app:1`, 'nginx', 'not an image!'];
    expect(running.note(runs)).toBe(true);
    askNow();
    await until('the verdict', () => memory.about(parseReference(`${HOST}/back/app:2`))?.kind === 'known');
    await until('to wait again', () => asked.at(-1)?.waitSeconds === 25);
    expect(asked.at(-1)).toMatchObject({ running: ['back/app'], ask: [] });
    expect(asked.filter(({ ask }) => ask?.length === 1)).toMatchObject([
      { ask: [{ repository: 'back/app', tag: '2' }] },
    ]);
    expect(running.note(runs)).toBe(false);
  });

  it('comes back when it is told to, not earlier', async () => {
    answer = (_body, response) => {
      response.writeHead(429, { 'retry-after': '1' });
      response.end('{}');
    };
    await follow().firstTry;
    await delay(500);
    expect(asked).toHaveLength(1);
  });

  it('keeps what it knows whatever the server answers', async () => {
    const answers = fc.oneof(
      fc.constantFrom('', '{', 'null', '[]', '{"complete":true}', '{"__proto__":{"complete":true}}', '"'.repeat(5000)),
      fc.jsonValue().map((value) => JSON.stringify(value)),
      // Pages of which one thing is wrong.
      fc
        .record({
          key: fc.constantFrom(
            'complete',
            'cursor',
            'hosts',
            'trusted',
            'upstreams',
            'repositories',
            'reset',
            'covers',
          ),
          value: fc.oneof(
            fc.constantFrom<unknown>(
              null,
              7,
              'x',
              {},
              [null],
              [[]],
              [{ name: '../..', tags: [], images: [] }],
              ['x'.repeat(5000)],
            ),
            fc.constant([{ name: 'front/app', tags: [['1', 'sha256:short']], images: [] }]),
            fc.constant([{ name: 'front/app', tags: [], images: [[first, 'root', 1, 's']] }]),
            fc.constant([{ name: 'front/app', tags: [], images: [[first, 'block', -1, 's']] }]),
          ),
        })
        .filter(
          ({ key, value }) =>
            !(key === 'hosts' && Array.isArray(value) && typeof value[0] === 'string' && value[0].length < 1000) &&
            // Any short text is a cursor.
            !(key === 'cursor' && value === 'x'),
        )
        .map(({ key, value }) => JSON.stringify({ ...whole, [key]: value })),
    );
    answer = (_body, response) => json(response, whole);
    await follow().firstTry;
    await following?.stop();
    const before = JSON.stringify([memory.head(), verdict()]);
    await fc.assert(
      fc.asyncProperty(answers, fc.constantFrom(200, 200, 200, 204, 302, 404, 500), async (text, status) => {
        const from = asked.length;
        answer = (_body, response) => {
          response.writeHead(status, { 'content-type': 'text/html', location: 'http://127.0.0.1:1/' });
          response.end(text);
        };
        const { firstTry, failure, stop } = follow({ cursor: 'c1', asOf: NOW });
        await firstTry;
        expect(failure(), text).toBeDefined();
        await stop();
        expect(asked.length - from).toBeLessThan(10);
        expect(JSON.stringify([memory.head(), verdict()])).toBe(before);
      }),
      { numRuns: 150 },
    );
  });

  it('gives up a reply without an end', async () => {
    answer = async (_body, response) => {
      response.writeHead(200);
      const endless = Buffer.alloc(1024 * 1024, ' ');
      while (!response.destroyed)
        if (!response.write(endless)) await Promise.race([delay(50), new Promise((r) => response.once('drain', r))]);
    };
    const { firstTry, failure } = follow();
    await firstTry;
    expect(failure()).toMatch(/no page of facts: facts is larger than/);
  });
});

describe('audits on their way to the server', () => {
  it('wait while the server is away and arrive in order, the oldest given up when they are too many', async () => {
    const arrived: number[] = [];
    let isAway = true;
    answer = (body, response) => {
      if (isAway) return void response.destroy();
      const lines = body
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, { finishedAt: number; violations: number }>);
      arrived.push(lines[0]!['audit']!.finishedAt);
      expect(lines.at(-1)).toEqual({ end: { violations: lines.length - 2, images: 0 } });
      response.writeHead(204).end();
    };
    const reports = createAuditReports({ client, logger: silentLogger, backoff: BACKOFF, keptBytes: 400 });
    for (let at = 1; at <= 5; at += 1) await reports.recordAudit(run(at));
    await until('a failure', () => reports.failure() !== undefined);
    expect([reports.waiting(), reports.dropped()]).toEqual([1, 4]);
    isAway = false;
    await until('the audit to arrive', () => arrived.includes(5));
    await reports.recordAudit(run(6, 12_000));
    await until('the next', () => arrived.includes(6));
    // One that was on its way when it was given up may arrive before.
    expect(arrived.slice(-2)).toEqual([5, 6]);
    await until('nothing to wait', () => reports.waiting() === 0);
    expect(reports.failure()).toBeUndefined();
    await reports.stop();
  });

  it('are given up when the server will never have them', async () => {
    answer = (_body, response) => json(response, { detail: 'line 2 of the audit: no' }, 400);
    const reports = createAuditReports({ client, logger: silentLogger, backoff: BACKOFF });
    await reports.recordAudit(run(1));
    await until('it to be dropped', () => reports.dropped() === 1);
    expect(reports.failure()).toContain('line 2 of the audit: no');
    await reports.stop();
  });
});

/** An audit that ended at a moment, with violations. */
function run(at: number, count = 1): AuditRun {
  return {
    cluster: 'prod',
    startedAt: at - 1,
    finishedAt: at,
    objects: count,
    violations: Array.from({ length: count }, (_, index) => ({
      constraint: 'c',
      action: 'warn',
      group: '',
      version: 'v1',
      kind: 'Pod',
      namespace: 'n',
      name: `p${index}`,
      message: 'm',
    })),
    running: [],
    incomplete: [],
  };
}
