import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createGuardedClient, type GuardedClient, type GuardedClientOptions } from './guarded-request.ts';

let server: Server;
let answer: (response: ServerResponse) => void;
let asked: number;
const clients: GuardedClient[] = [];
beforeEach(async () => {
  asked = 0;
  server = createServer((request, response) => {
    asked += 1;
    request.resume().on('end', () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function send(options: Partial<GuardedClientOptions> = {}, host = '127.0.0.1') {
  const client = createGuardedClient({ userAgent: 'test', allowPrivate: true, totalMs: 2000, ...options });
  clients.push(client);
  const { port } = server.address() as AddressInfo;
  return client.send({ url: `http://${host}:${port}/`, method: 'POST', headers: {}, body: '{}' });
}

it('gives the status and the beginning of the reply', async () => {
  answer = (response) => response.writeHead(202, { 'retry-after': '7' }).end('taken');
  expect(await send()).toEqual({ status: 202, text: 'taken', cut: false, retryAfter: '7' });
});

it('follows no redirect', async () => {
  answer = (response) => response.writeHead(307, { location: 'http://169.254.169.254/latest/' }).end();
  expect(await send()).toMatchObject({ status: 307 });
  expect(asked).toBe(1);
});

it('connects to nothing private unless it may, whatever a name says', async () => {
  answer = (response) => response.end();
  const closed = { allowPrivate: false };
  await expect(send(closed)).rejects.toMatchObject({ code: 'address_refused' });
  await expect(send(closed, 'localhost')).rejects.toMatchObject({ code: 'address_refused' });
  await expect(send(closed, '[::ffff:127.0.0.1]')).rejects.toMatchObject({ code: 'address_refused' });
  // Numbers that are addresses in disguise are what URL makes of them.
  await expect(send(closed, '2130706433')).rejects.toMatchObject({ code: 'address_refused' });
  await expect(
    send({ ...closed, resolve: async () => ['93.184.215.14', '10.0.0.1'] }, 'half.example.com'),
  ).rejects.toMatchObject({
    code: 'address_refused',
  });
  await expect(send({ resolve: async () => ['169.254.169.254'] }, 'meta.example.com')).rejects.toMatchObject({
    code: 'address_refused',
  });
  expect(asked).toBe(0);
});

it('connects to the address it has checked: a name that answers differently the next time is asked once', async () => {
  answer = (response) => response.end('here');
  let looks = 0;
  const resolve = async () => ((looks += 1) === 1 ? ['127.0.0.1'] : ['169.254.169.254']);
  expect(await send({ resolve }, 'rebinds.example.com')).toMatchObject({ text: 'here' });
  expect(looks).toBe(1);
});

it('cuts a reply that does not end', async () => {
  let sent = 0;
  answer = (response) => {
    const piece = Buffer.alloc(65_536, 'x');
    const more = () => {
      while (sent < 1024 ** 3 && !response.destroyed) {
        sent += piece.length;
        if (!response.write(piece)) {
          response.once('drain', more);
          return;
        }
      }
    };
    more();
  };
  const reply = await send();
  expect(reply.cut).toBe(true);
  expect(reply.text).toHaveLength(65_536);
  expect(sent).toBeLessThan(64 * 1024 ** 2);
});

it('waits no longer than it was told to, however steadily it drips', async () => {
  answer = (response) => {
    const timer = setInterval(() => response.write('.'), 20);
    response.on('close', () => clearInterval(timer));
  };
  const began = performance.now();
  await expect(send({ totalMs: 300 })).rejects.toMatchObject({ code: 'timeout' });
  expect(performance.now() - began).toBeLessThan(5000);
});

it('names a server that is not there by host alone', async () => {
  await expect(
    send({ resolve: async () => Promise.reject(new Error('ENOTFOUND')) }, 'gone.example.com'),
  ).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.not.stringContaining('/in'),
  });
});
