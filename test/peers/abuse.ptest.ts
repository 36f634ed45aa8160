import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { openWire, type Wire } from '../support/wire.ts';

const MIB = 1024 * 1024;
const SLOW_CONNECTIONS = 200;
/** Node looks every 30 s for requests whose headers took more than 60 s. */
const SLOWEST_HEADERS_MS = 100_000;
const CONFIG = '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}';
const REPOSITORY = '/v2/abuse/app';

let server: BreakwaterServer;
let wire: Wire;
beforeAll(async () => {
  server = await startBreakwater();
  await server.cli(['project', 'create', 'abuse']);
  wire = openWire({ url: server.url, user: 'admin', password: server.password });
  const post = `${REPOSITORY}/blobs/uploads/?digest=${digestOf(CONFIG)}`;
  expect((await wire.send('POST', post, { body: Buffer.from(CONFIG) })).status).toBe(201);
});
afterAll(async () => {
  await wire.close();
  await server.stop();
});

/** Others are served while somebody misbehaves. Milliseconds until an answer came. */
async function answerTime(): Promise<number> {
  const began = performance.now();
  expect((await wire.send('GET', `${REPOSITORY}/tags/list`)).status).toBeLessThan(500);
  return performance.now() - began;
}

async function put(reference: string, body: string, type = OCI_MANIFEST) {
  const reply = await wire.send('PUT', `${REPOSITORY}/manifests/${reference}`, {
    body: Buffer.from(body),
    headers: { 'content-type': type },
  });
  const error = reply.status < 400 ? undefined : errorOf(reply.body.toString());
  return { status: reply.status, ...error };
}

describe('connections', () => {
  it(`are cut when their headers drip, ${SLOW_CONNECTIONS} at once, and others are served meanwhile`, async () => {
    const slow = await Promise.all(Array.from({ length: SLOW_CONNECTIONS }, () => drip(server.ports.registry)));
    const began = performance.now();
    const times: number[] = [];
    while (slow.some((one) => one.isOpen()) && performance.now() - began < SLOWEST_HEADERS_MS) {
      times.push(await answerTime());
      await sleep(500);
    }
    expect(slow.filter((one) => one.isOpen())).toEqual([]);
    for (const one of slow) {
      expect(one.answer()).toMatch(/^HTTP\/1\.1 408 /);
      expect(errorOf(one.answer()).code).toBe('UNSUPPORTED');
    }
    expect(times.sort((a, b) => a - b)[Math.floor(times.length * 0.9)]).toBeLessThan(1000);
  });

  it.each([
    ['a header of 20 KB', `x: ${'a'.repeat(20_000)}\r\n`],
    ['3,000 headers', Array.from({ length: 3000 }, (_, at) => `x${at}: y\r\n`).join('')],
    ['a token of 30 KB', `authorization: Bearer ${'a'.repeat(30_000)}\r\n`],
  ])('%s is refused with 431 and a reason', async (_, headers) => {
    const answer = await sendRaw(`GET /v2/ HTTP/1.1\r\nhost: x\r\n${headers}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(errorOf(answer)).toEqual({ code: 'UNSUPPORTED', message: expect.stringContaining('headers') });
  });

  it.each([
    ['an address of 20 KB', `GET /v2/${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431],
    ['no HTTP', '\u0016\u0003\u0001 nonsense\r\n\r\n', 400],
    ['a length below zero', `PUT ${REPOSITORY}/manifests/x HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n`, 400],
    [
      'two lengths',
      `PUT ${REPOSITORY}/manifests/x HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
  ])('%s is refused in the form of the specification', async (_, request, status) => {
    const answer = await sendRaw(request);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(errorOf(answer).code).toBe('UNSUPPORTED');
  });
});

describe('manifests', () => {
  it.each([
    ['announced', false],
    ['in chunks', true],
  ])('of more than 4 MiB, %s, answer 413', async (_, chunked) => {
    // Logs in, which a stream cannot do by itself.
    await put('small', image(0));
    const bytes = Buffer.alloc(64 * MIB, ' ');
    const reply = await wire.send('PUT', `${REPOSITORY}/manifests/large`, {
      headers: { 'content-type': OCI_MANIFEST },
      ...(chunked ? { stream: () => pieces(bytes) } : { body: bytes }),
    });
    expect([reply.status, errorOf(reply.body.toString()).code]).toEqual([413, 'SIZE_INVALID']);
  });

  it.each([
    ['lists', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['lists up to the size limit', `{"a":${'['.repeat(2_000_000)}${']'.repeat(2_000_000)}}`],
  ])('of 10,000 and more nested %s are refused', async (_, body) => {
    const { status, code, message } = await put('deep', body);
    expect([status, code]).toEqual([400, 'MANIFEST_INVALID']);
    expect(message).toMatch(/64 levels|not JSON/);
  });

  it('that list 10,000 others are refused, 1,000 that are not there named by the first 20', async () => {
    const many = await put('many', indexOfAbsent(10_000), OCI_INDEX);
    expect([many.status, many.code]).toEqual([400, 'MANIFEST_INVALID']);
    expect(many.message).toContain('at most 1000');
    const missing = await put('missing', indexOfAbsent(1000), OCI_INDEX);
    expect([missing.status, missing.code]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
    expect(missing.detail).toHaveLength(20);
  });

  it('that list one image 1,000 times are judged as fast as those that list it once', async () => {
    const [platform, content] = [{ os: 'linux', architecture: 'amd64' }, image(1)];
    await put('one', content);
    const entry = { ...descriptor(content), platform };
    const cpuOf = async (reference: string, entries: object[]) => {
      const began = await processorMs(server.pid);
      expect((await put(reference, index(entries), OCI_INDEX)).status).toBe(201);
      return (await processorMs(server.pid)) - began;
    };
    await cpuOf('first', [entry]);
    const once = await cpuOf('once', [entry, entry]);
    expect(
      await cpuOf(
        'often',
        Array.from({ length: 1000 }, () => entry),
      ),
    ).toBeLessThan(once + 500);
    expect(await answerTime()).toBeLessThan(1000);
  });
});

/** A connection that sends its headers a letter at a time. */
async function drip(port: number): Promise<{ isOpen(): boolean; answer(): string }> {
  const socket = connect(port, '127.0.0.1');
  const text = textOf(socket);
  await once(socket, 'connect');
  socket.write('GET /v2/ HTTP/1.1\r\nhost: x\r\nx: ');
  const drops = setInterval(() => socket.write('a'), 500);
  let open = true;
  socket.once('close', () => {
    open = false;
    clearInterval(drops);
  });
  return { isOpen: () => open, answer: text };
}

async function sendRaw(request: string): Promise<string> {
  const socket = connect(server.ports.registry, '127.0.0.1');
  const text = textOf(socket);
  socket.write(request);
  await once(socket, 'close');
  return text();
}

/** What a connection was answered so far; that it is cut is no error here. */
function textOf(socket: Socket): () => string {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  return () => text;
}

/** The first error of a reply, with or without its head. */
function errorOf(reply: string): { code?: string; message?: string; detail?: readonly unknown[] } {
  const body = reply.slice(Math.max(0, reply.indexOf('{')));
  const { errors } = JSON.parse(body) as { errors: { code: string; message: string; detail?: readonly unknown[] }[] };
  return errors[0] ?? {};
}

function descriptor(content: string): object {
  return { mediaType: OCI_MANIFEST, digest: digestOf(content), size: content.length };
}

function image(number: number): string {
  const config = { ...descriptor(CONFIG), mediaType: 'application/vnd.oci.image.config.v1+json' };
  const annotations = { number: String(number) };
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [], annotations });
}

function index(manifests: readonly object[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
}

function indexOfAbsent(count: number): string {
  return index(Array.from({ length: count }, (_, at) => descriptor(`absent ${at}`)));
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += MIB) {
    await sleep(0);
    yield bytes.subarray(at, at + MIB);
  }
}

/** User and system time of a process so far (proc(5)). */
async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}
