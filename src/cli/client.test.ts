import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import { importAdvisories } from '../api/contract/operations.ts';
import { getProject, listRepositories, setMember } from '../api/contract/projects.ts';
import { createUser, listUsers } from '../api/contract/users.ts';
import { type ApiClient, withLogin } from './client.ts';

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

/** Runs calls against a server that answers with `answer`; gives what the server saw. */
async function against(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  run: (api: ApiClient) => Promise<unknown>,
) {
  const seen: { line: string; body: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const body = Buffer.concat(chunks).toString();
      seen.push({ line: `${method} ${url}`, body, authorization: headers.authorization });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stop = () => new Promise((resolve) => void server.close(() => resolve()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const result = await withLogin({ url, user: 'carol', password: 'pass word' }, run);
  return { result, seen };
}

const user = { name: 'dave', admin: false, disabled: false, createdAt: '2026-01-01T00:00:00Z' };
const json = (status: number, value: unknown) => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};

it('sends bodies as JSON with the credentials, and reads the answer', async () => {
  const { result, seen } = await against(json(201, user), (api) =>
    api.call(createUser, { body: { name: 'dave', password: 'x' } }),
  );
  expect(result).toEqual(user);
  expect(seen).toEqual([
    {
      line: 'POST /api/v1/users',
      body: '{"name":"dave","password":"x"}',
      authorization: `Basic ${Buffer.from('carol:pass word').toString('base64')}`,
    },
  ]);
});

it('encodes what goes into the address, so that a name cannot become another path', async () => {
  const { seen } = await against(
    (_, response) => void response.writeHead(204).end(),
    (api) => api.call(setMember, { params: { project: '../users', user: 'a/b?c#d' }, body: { role: 'guest' } }),
  );
  expect(seen[0]?.line).toBe('PUT /api/v1/projects/..%2Fusers/members/a%2Fb%3Fc%23d');
});

it('leaves out what was not given', async () => {
  const { seen } = await against(json(200, { items: [] }), (api) =>
    api.call(listRepositories, { params: { project: 'front' }, query: { limit: 5, after: undefined } }),
  );
  expect(seen[0]?.line).toBe('GET /api/v1/projects/front/repositories?limit=5');
});

it('sends files as they are', async () => {
  const done = { version: 'v', builtAt: '2026-01-01T00:00:00Z', changed: true };
  const { result, seen } = await against(json(200, done), (api) =>
    api.upload(importAdvisories, { content: Readable.from([Buffer.from('abc'), Buffer.from('def')]), size: 6 }),
  );
  expect([result, seen[0]?.body]).toEqual([done, 'abcdef']);
});

it('refuses an answer of another form', async () => {
  const calls = against(json(200, { items: [{ ...user, admin: 'yes' }] }), (api) => api.call(listUsers));
  await expect(calls).rejects.toThrow(/not what this program expects \(items\.0\.admin\)/);
});

it('refuses an answer that is no JSON', async () => {
  const calls = against(
    (_, response) => void response.end('<html>'),
    (api) => api.call(listUsers),
  );
  await expect(calls).rejects.toThrow(/not what this program expects/);
});

it('says what the server says', async () => {
  const problem = { type: 'about:blank', title: 'Not Found', status: 404, detail: 'there is no "x"', code: 'unknown' };
  const calls = against(json(404, problem), (api) => api.call(getProject, { params: { project: 'x' } }));
  await expect(calls).rejects.toThrow(/^there is no "x"$/);
});

it('notices an answer that breaks off', async () => {
  const calls = against(
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"items":');
      setTimeout(() => response.destroy(), 20);
    },
    (api) => api.call(listUsers),
  );
  await expect(calls).rejects.toThrow(/broke off; try again/);
});
