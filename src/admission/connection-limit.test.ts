import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { type Certificates, openCertificates } from './certificates.ts';
import { limitConnections } from './connection-limit.ts';
import { readPlainRequests } from './plain-connections.ts';
import { createReviewBodies } from './review-bodies.ts';

let folder: string;
let certificates: Certificates;
let server: Server;
let plain: Server;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-connections-'));
  certificates = await openCertificates({ folder, hosts: ['127.0.0.1'], clock: systemClock });
  server = createServer(certificates.tls(), (asked, reply) => {
    asked.resume().on('end', () => reply.end('answered'));
  });
  limitConnections(server, 3);
  plain = createServer(certificates.tls());
  readPlainRequests(plain, {
    route: () => true,
    take: (_route, exchange) => exchange.send(200, '{}'),
    bodies: createReviewBodies({ largest: 1000, most: 1000 }),
    largest: 1000,
    receivedMs: 60_000,
    keepAliveMs: 60_000,
    lookEveryMs: 60_000,
    isLast: () => false,
    carries: limitConnections(plain, 3),
  });
  for (const one of [server, plain]) {
    one.listen(0, '127.0.0.1');
    await once(one, 'listening');
  }
});
afterAll(async () => {
  for (const one of [server, plain]) {
    one.closeAllConnections();
    one.close();
  }
  await rm(folder, { recursive: true, force: true });
});

async function opened(text = ''): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: certificates.caBundle });
  socket.resume().on('error', () => undefined);
  await once(socket, 'secureConnect');
  if (text !== '') socket.write(text);
  // The server has seen it too once it has answered somebody else, or in a moment.
  await delay(50);
  return socket;
}

function ask(): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request(
      {
        port,
        host: '127.0.0.1',
        method: 'POST',
        headers,
        ca: certificates.caBundle,
        agent: new Agent({ keepAlive: true }),
      },
      (reply) => {
        reply.resume().on('end', () => {
          resolve(reply.statusCode);
          sent.destroy();
        });
      },
    );
    sent.on('error', reject);
    sent.end('x');
  });
}

it.each(['by Node', 'plainly'])(
  'nobody keeps others out by holding connections, idle or half-sent: read %s',
  async (how) => {
    ({ port } = (how === 'by Node' ? server : plain).address() as AddressInfo);
    const idle = [await opened(), await opened(), await opened()];
    expect(await ask()).toBe(200);
    await delay(50);
    expect(idle.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
    const half = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\nx';
    const slow = [await opened(half), await opened(half), await opened(half)];
    expect(await ask()).toBe(200);
    await delay(50);
    expect(slow.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
    for (const socket of [...idle, ...slow]) socket.destroy();
  },
);
