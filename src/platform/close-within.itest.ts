import { connect } from 'node:net';
import Fastify from 'fastify';
import { expect, it } from 'vitest';
import { closeWithin } from './close-within.ts';

it('ends although somebody holds half a request', { timeout: 20_000 }, async () => {
  const app = Fastify();
  app.post('/', async () => 'ok');
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const halves = ['POST / HTTP/1.1\r\nhost: a', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc'];
  const sockets = halves.map((half) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined).write(half);
    return socket;
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const began = performance.now();
  await closeWithin(app, 300);
  expect(performance.now() - began).toBeLessThan(5000);
  for (const socket of sockets) socket.destroy();
});

it('waits for what is answered meanwhile', async () => {
  const app = Fastify();
  app.get('/', async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return 'ok';
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const answer = fetch(url);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await closeWithin(app, 10_000);
  expect(await (await answer).text()).toBe('ok');
});
