import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ImageFacts, NO_FACTS } from '../constraints/image-facts.ts';
import { testPod } from '../constraints/testing.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { type Certificates, openCertificates } from './certificates.ts';
import { staticConstraintSource } from './constraint-source.ts';
import { createWebhookServer, type WebhookServer } from './server.ts';
import { testRequest } from './testing.ts';

let folder: string;
let certificates: Certificates;
let server: WebhookServer;
let port: number;
let facts: () => ImageFacts | Promise<ImageFacts> = () => NO_FACTS;
/** Requests that Node's own server has read. */
let byNode = 0;
const undecided: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-plain-'));
  certificates = await openCertificates({ folder, hosts: ['127.0.0.1'], clock: systemClock });
  server = createWebhookServer({
    source: staticConstraintSource({ name: 'n', enforcementAction: 'deny', repos: () => ['docker.io'] }),
    facts: { factsAbout: () => facts() },
    logger: silentLogger,
    tls: certificates.tls(),
    exemptNamespaces: [],
    onUndecided: (why) => undecided.push(why),
  });
  port = await server.listen({ host: '127.0.0.1', port: 0 });
  server.app.server.on('request', () => {
    byNode += 1;
  });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  byNode = 0;
  undecided.length = 0;
  facts = () => NO_FACTS;
});

interface Caller {
  readonly socket: TLSSocket;
  /** All that came until now. */
  readonly text: () => string;
  /** Once that many answers came. */
  readonly answers: (count: number) => Promise<string>;
}

async function call(): Promise<Caller> {
  const socket = connect({ port, host: '127.0.0.1', ca: certificates.caBundle });
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return {
    socket,
    text: () => text,
    async answers(count) {
      while (text.split('HTTP/1.1 ').length <= count || !/\}\s*$/.test(text)) {
        if (socket.closed) throw new Error(`it was closed after ${JSON.stringify(text)}`);
        await delay(5);
      }
      return text.replaceAll(/Date: [^\r]*/g, 'Date: now');
    },
  };
}

function body(image = 'nginx', more = {}): string {
  const request = testRequest({ ...testPod('p', image), ...more });
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
}
function requestOf(text: string, more: readonly string[] = [], path = '/v1/admit'): string {
  const lines = ['Host: x', 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`, ...more];
  return `POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${text}`;
}

describe('plain requests', () => {
  it.each([
    ['allowed', body()],
    ['denied', body('evil.example.com/x')],
    ['denied in other letters', body('evil.example.com/x', { metadata: { name: 'pö' } })],
    ['no review', '{}'],
  ])('are answered as Node would: %s', async (_what, text) => {
    const ours = await call();
    ours.socket.write(requestOf(text));
    const answer = await ours.answers(1);
    expect(byNode).toBe(0);
    const theirs = await call();
    theirs.socket.write(requestOf(text, ['X-Odd: 1']));
    expect(answer).toBe(await theirs.answers(1));
    expect(byNode).toBe(1);
    ours.socket.destroy();
    theirs.socket.destroy();
  });

  it('come one after the other on a connection, in any pieces behind their head', async () => {
    const { socket, answers } = await call();
    const large = requestOf(body('nginx', { note: 'x'.repeat(100_000) }));
    for (let count = 1; count <= 3; count += 1) {
      const begin = large.indexOf('{');
      socket.write(large.slice(0, begin));
      await delay(10);
      socket.write(large.slice(begin, begin + 10));
      await delay(10);
      socket.write(large.slice(begin + 10));
      await answers(count);
    }
    expect((await answers(3)).match(/"allowed":true/g)).toHaveLength(3);
    expect(byNode).toBe(0);
    socket.destroy();
  });

  it.each<[string, string[], RegExp]>([
    ['a head in pieces', [requestOf(body()).slice(0, 30), requestOf(body()).slice(30)], /"allowed":true/],
    ['a GET', ['GET /v1/admit HTTP/1.1\r\nHost: x\r\n\r\n'], /^HTTP\/1\.1 404 /],
    ['an unknown path', [requestOf('{}', [], '/other')], /^HTTP\/1\.1 404 /],
    [
      'a body that is announced as too large',
      ['POST /v1/admit HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n'],
      /^HTTP\/1\.1 413 [\s\S]*connection: close/,
    ],
    [
      'chunks',
      [
        `POST /v1/admit HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${body().length.toString(16)}\r\n${body()}\r\n0\r\n\r\n`,
      ],
      /"allowed":true/,
    ],
    [
      'an expectation',
      [requestOf(body(), ['Expect: 100-continue'])],
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /,
    ],
    ['two hosts and a smuggled length', [requestOf(body(), ['Content-Length: 3'])], /^HTTP\/1\.1 400 /],
    ['no HTTP', ['hello\r\n\r\n'], /^HTTP\/1\.1 400 /],
    ['too many headers', [requestOf(body(), [`X-Odd: ${'x'.repeat(20_000)}`])], /^HTTP\/1\.1 431 /],
  ])('are left to Node, also after others: %s', async (_what, parts, expected) => {
    for (const before of [0, 1]) {
      const { socket, text, answers } = await call();
      if (before === 1) {
        socket.write(requestOf(body()));
        await answers(1);
      }
      const begin = text().length;
      for (const part of parts) {
        socket.write(part);
        await delay(20);
      }
      while (!expected.test(text().slice(begin)) && !socket.closed) await delay(5);
      expect(text().slice(begin)).toMatch(expected);
      socket.destroy();
    }
  });

  it('are answered in their order where several are sent at once, soon or late', async () => {
    for (const late of [false, true]) {
      facts = () => (late ? delay(50).then(() => NO_FACTS) : NO_FACTS);
      const { socket, answers } = await call();
      socket.write(requestOf(body()) + requestOf(body('evil.example.com/x')) + requestOf('{}'));
      await delay(20);
      socket.write(requestOf(body()));
      const all = await answers(4);
      expect(
        [...all.matchAll(/HTTP\/1\.1 (\d+)|"allowed":(\w+)/g)].map(([, code, allowed]) => code ?? allowed),
      ).toEqual(['200', 'true', '200', 'false', '400', '200', 'true']);
      socket.destroy();
    }
  });

  it('are answered alike in whatever pieces they come', { timeout: 60_000 }, async () => {
    const all = [body(), body('evil.example.com/x'), '{}'].map((one) => requestOf(one)).join('');
    const whole = await call();
    whole.socket.write(all);
    const expected = await whole.answers(3);
    whole.socket.destroy();
    const cuts = fc.uniqueArray(fc.nat(all.length), { maxLength: 5 }).map((list) => list.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        const { socket, answers } = await call();
        for (const [index, begin] of [0, ...at].entries()) socket.write(all.slice(begin, at[index]));
        expect(await answers(3)).toBe(expected);
        socket.destroy();
      }),
      { numRuns: 40 },
    );
  });

  it('that break off are undecided, and no answer is waited for', async () => {
    const text = requestOf(body());
    for (const how of ['destroy', 'end'] as const) {
      const { socket } = await call();
      socket.write(text.slice(0, -10));
      await delay(20);
      socket[how]();
      while (undecided.length === 0) await delay(5);
      expect(undecided).toEqual(['aborted']);
      undecided.length = 0;
    }
    facts = () => delay(100).then(() => NO_FACTS);
    for (const how of ['destroy', 'end'] as const) {
      const { socket, text: came } = await call();
      socket.write(text);
      await delay(20);
      socket[how]();
      await delay(150);
      expect([came(), undecided, socket.closed]).toEqual(['', [], true]);
    }
  });

  it('must come in time, and so must the first', { timeout: 20_000 }, async () => {
    const [silent, slow, done] = [await call(), await call(), await call()];
    slow.socket.write(requestOf(body()).slice(0, -1));
    done.socket.write(requestOf(body()));
    await Promise.all([once(silent.socket, 'close'), once(slow.socket, 'close')]);
    for (const { text } of [silent, slow]) expect(text()).toMatch(/^HTTP\/1\.1 408 /);
    expect(undecided).toEqual(['aborted']);
    expect(done.socket.closed).toBe(false);
    done.socket.destroy();
  });

  it('are answered for the last time while the server closes', async () => {
    const other = createWebhookServer({
      source: staticConstraintSource({ name: 'n', enforcementAction: 'deny', repos: () => ['docker.io'] }),
      facts: { factsAbout: () => delay(200).then(() => NO_FACTS) },
      logger: silentLogger,
      tls: certificates.tls(),
      exemptNamespaces: [],
    });
    const before = port;
    port = await other.listen({ host: '127.0.0.1', port: 0 });
    const [idle, busy] = [await call(), await call()];
    port = before;
    idle.socket.write(requestOf(body()));
    await idle.answers(1);
    busy.socket.write(requestOf(body()));
    await delay(50);
    await other.close();
    expect(idle.text()).toMatch(/Connection: keep-alive/);
    expect(busy.text()).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\r\nconnection: close\r\n/);
  });
});
