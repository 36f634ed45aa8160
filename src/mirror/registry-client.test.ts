import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { fixedClock } from '../platform/clock.ts';
import { createHttpClient } from '../platform/http-client.ts';
import { readBounded } from '../platform/streams.ts';
import { createRegistryClient } from './registry-client.ts';

const MANIFEST = Buffer.from('{"schemaVersion":2,"manifests":[]}');
const TYPE = 'application/vnd.oci.image.index.v1+json';
const credentials = { username: 'robot', password: 's3cret' };
const BASIC = `Basic ${Buffer.from('robot:s3cret').toString('base64')}`;

type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void;
const servers: Server[] = [];
const http = createHttpClient({ userAgent: 'breakwater-test', idleTimeoutMs: 2000 });

/** A server that speaks the wire protocol as told; `seen` are the requests it got. */
async function serve(handler: Handler) {
  const seen: { method: string; path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', path: request.url ?? '', authorization: request.headers.authorization });
    request.resume();
    handler(request, response, new URL(request.url ?? '/', 'http://x'));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map((server) => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  );
});

function manifestReply(response: ServerResponse, content = MANIFEST): void {
  response.writeHead(200, { 'content-type': `${TYPE}; charset=utf-8`, 'docker-content-digest': digestOf(MANIFEST) });
  response.end(content);
}

describe('registry client', () => {
  it('answers a Bearer challenge once per scope and keeps the token until it ends', async () => {
    const clock = fixedClock(0);
    const registry = await serve((request, response, url) => {
      if (url.pathname === '/token') {
        response.end(JSON.stringify({ token: `for ${url.searchParams.get('scope')} ${clock.now()}`, expires_in: 300 }));
      } else if (request.headers.authorization?.startsWith('Bearer ')) manifestReply(response);
      else {
        response.writeHead(401, { 'www-authenticate': `Bearer realm="${registry.origin}/token",service="s"` });
        response.end();
      }
    });
    const client = createRegistryClient({ http, clock }, { url: registry.origin, credentials });
    expect(await client.getManifest('a/b', '1')).toEqual({
      digest: digestOf(MANIFEST),
      mediaType: TYPE,
      content: MANIFEST,
    });
    await client.getManifest('a/b', '1');
    expect(registry.seen.filter(({ path }) => path.startsWith('/token'))).toEqual([
      { method: 'GET', path: '/token?service=s&scope=repository%3Aa%2Fb%3Apull', authorization: BASIC },
    ]);
    clock.set(300_000);
    await client.getManifest('a/b', '1');
    expect(registry.seen.filter(({ path }) => path.startsWith('/token'))).toHaveLength(2);
    expect(registry.seen.every(({ path, authorization }) => path.startsWith('/token') || authorization !== BASIC)).toBe(
      true,
    );
  });

  it('answers a Basic challenge and sends the password without being asked afterwards', async () => {
    const registry = await serve((request, response) => {
      if (request.headers.authorization === BASIC) return manifestReply(response);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' });
      return response.end();
    });
    const client = createRegistryClient(
      { http, clock: fixedClock(0) },
      { url: `${registry.origin}/prefix/`, credentials },
    );
    await client.getManifest('a', '1');
    await client.getManifest('a', '1');
    expect(registry.seen.map(({ path, authorization }) => [path, authorization !== undefined])).toEqual([
      ['/v2/prefix/a/manifests/1', false],
      ['/v2/prefix/a/manifests/1', true],
      ['/v2/prefix/a/manifests/1', true],
    ]);
  });

  it.each([
    'http://127.0.0.1:1/token',
    'http://token.example/t',
    'https://10.0.0.1/t',
    'https://localhost/t',
    'nonsense',
    '',
  ])('is not sent elsewhere by the realm %j', async (realm) => {
    const registry = await serve((_request, response) => {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` });
      response.end();
    });
    const client = createRegistryClient({ http, clock: fixedClock(0) }, { url: registry.origin, credentials });
    await expect(client.getManifest('a', '1')).rejects.toMatchObject({ code: 'invalid_response' });
  });

  it('follows a redirect of a blob without credentials', async () => {
    const content = Buffer.from('layer');
    const storage = await serve((_request, response) => response.end(content));
    const registry = await serve((request, response) => {
      if (request.headers.authorization !== BASIC)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' });
      else response.writeHead(307, { location: `${storage.origin}/bucket/x?signature=1` });
      response.end();
    });
    const client = createRegistryClient({ http, clock: fixedClock(0) }, { url: registry.origin, credentials });
    const blob = await client.getBlob('a', digestOf(content));
    expect(blob?.size).toBe(content.length);
    if (!blob) throw new Error('no blob');
    expect((await readBounded(blob.content, 100, 'blob')).equals(content)).toBe(true);
    expect(storage.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it.each([
    [404, {}, undefined],
    [401, {}, { code: 'denied' }],
    [403, {}, { code: 'denied' }],
    [429, { 'retry-after': '7' }, { code: 'unavailable', retryAfterSeconds: 7 }],
    [503, {}, { code: 'unavailable' }],
    [418, {}, { code: 'invalid_response' }],
  ])('tells %i apart', async (status, headers, error) => {
    const registry = await serve((_request, response) => {
      response.writeHead(status, headers);
      response.end('{"errors":[{"code":"X","message":"because"}]}');
    });
    const client = createRegistryClient({ http, clock: fixedClock(0) }, { url: registry.origin });
    if (error === undefined) expect(await client.getManifest('a', '1')).toBeUndefined();
    else
      await expect(client.getManifest('a', '1')).rejects.toMatchObject({
        ...error,
        message: expect.stringContaining('because'),
      });
  });

  it('refuses content that is not what the digest says, and manifests without end', async () => {
    const registry = await serve((_request, response, url) => {
      if (url.pathname.endsWith('/long')) return response.end(Buffer.alloc(5 * 1024 * 1024));
      return manifestReply(response, Buffer.from('{}'));
    });
    const client = createRegistryClient({ http, clock: fixedClock(0) }, { url: registry.origin });
    await expect(client.getManifest('a', '1')).rejects.toMatchObject({ code: 'invalid_response' });
    await expect(client.getManifest('a', 'long')).rejects.toMatchObject({ code: 'invalid_response' });
  });

  it('says that a host is away, without its path secrets', async () => {
    const client = createRegistryClient({ http, clock: fixedClock(0) }, { url: 'http://127.0.0.1:9' });
    await expect(client.headManifest('a', '1')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('never uploads to another origin', async () => {
    const registry = await serve((_request, response) => {
      response.writeHead(202, { location: 'http://127.0.0.1:1/elsewhere' });
      response.end();
    });
    const client = createRegistryClient({ http, clock: fixedClock(0) }, { url: registry.origin });
    const content = Buffer.from('x');
    await expect(
      client.putBlob(
        'a',
        digestOf(content),
        1,
        (async function* () {
          yield content;
        })(),
      ),
    ).rejects.toMatchObject({ code: 'invalid_response' });
  });
});
