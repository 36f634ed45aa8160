import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, hexOf } from '../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { isLeftOut } from '../support/peers.ts';
import { newImage, pushUntilRefused } from '../support/pushed-image.ts';
import { type Call, traceCalls } from '../support/strace.ts';
import { openWire, type Wire } from '../support/wire.ts';

const REPOSITORY = 'order/app';
const CALLS = [
  'fsync',
  'fdatasync',
  'rename',
  'renameat',
  'renameat2',
  'write',
  'writev',
  'pwrite64',
  'pwritev',
  'sendto',
];

let server: BreakwaterServer;
let wire: Wire;
beforeAll(async () => {
  server = await startBreakwater();
  wire = openWire({ url: server.url, user: 'admin', password: server.password });
  await server.cli(['project', 'create', 'order']);
  // Logs in, and makes the folders that every push has later.
  expect(await pushUntilRefused(wire, newImage(REPOSITORY, 'first'))).toEqual([]);
});
afterAll(async () => {
  await wire.close();
  await server.stop();
});

/** The calls that match, each after the end of the one before; names the first that is not there. */
function expectOrder(calls: readonly Call[], wanted: readonly (readonly [what: string, call: RegExp])[]): void {
  let after = -1;
  for (const [what, pattern] of wanted) {
    const found = calls.find(({ text, began }) => began > after && pattern.test(text));
    expect(found, `${what}, in this order, among\n${calls.map(({ text }) => text).join('\n')}`).toBeDefined();
    after = found?.ended ?? after;
  }
}

/** No answer of success may be on its way before the last thing it promises is durable. */
function expectNoneBefore(calls: readonly Call[], answer: RegExp, durable: RegExp): void {
  const first = calls.find(({ text }) => answer.test(text));
  const last = calls.filter(({ text }) => durable.test(text)).at(-1);
  expect(first?.began).toBeGreaterThan(last?.ended ?? Infinity);
}

const LOG_WRITTEN = ['the rows are written to the log', /^pwrite64\(\d+<[^>]*breakwater\.db-wal>/] as const;
const LOG_SYNCED = ['the log is synced', /^fdatasync\(\d+<[^>]*breakwater\.db-wal>/] as const;
const ANSWERED = [
  'success is answered',
  /^(?:write|writev|sendto)\(\d+<[^>]*(?:socket|TCP)[^>]*>.*HTTP\/1\.1 201 Created/,
] as const;

describe.skipIf(isLeftOut('strace'))('a push answers only what survives a power cut', () => {
  it('blob: content synced, renamed, folder synced, rows, log synced, answer', async () => {
    const { layer } = newImage(REPOSITORY, 'second', 700_000);
    const digest = digestOf(layer);
    const trace = await traceCalls(server.pid, CALLS);
    const reply = await wire.send('POST', `/v2/${REPOSITORY}/blobs/uploads/?digest=${digest}`, { body: layer });
    const calls = await trace.stop();
    expect(reply.status).toBe(201);
    const file = `blobs/sha256/${hexOf(digest).slice(0, 2)}`;
    expectOrder(calls, [
      ['the content is written', /^p?writev?(?:64)?\(\d+<[^>]*\/uploads\/[0-9a-f-]{36}>/],
      ['the content is synced', /^fsync\(\d+<[^>]*\/uploads\/[0-9a-f-]{36}>/],
      ['it gets its name', new RegExp(`^rename.*${file}/${hexOf(digest)}"`)],
      ['its folder is synced', new RegExp(`^fsync\\(\\d+<[^>]*${file}>`)],
      LOG_WRITTEN,
      LOG_SYNCED,
      ANSWERED,
    ]);
    expectNoneBefore(calls, ANSWERED[1], new RegExp(`^fsync\\(\\d+<[^>]*${file}>`));
  });

  it('manifest: rows, log synced, answer', async () => {
    const image = newImage(REPOSITORY, 'third');
    for (const content of [image.layer, image.config])
      await wire.send('POST', `/v2/${REPOSITORY}/blobs/uploads/?digest=${digestOf(content)}`, { body: content });
    const trace = await traceCalls(server.pid, CALLS);
    const headers = { 'content-type': OCI_MANIFEST };
    const path = `/v2/${REPOSITORY}/manifests/third`;
    const reply = await wire.send('PUT', path, { body: image.manifest, headers });
    const calls = await trace.stop();
    expect(reply.status).toBe(201);
    expectOrder(calls, [LOG_WRITTEN, LOG_SYNCED, ANSWERED]);
  });
});
