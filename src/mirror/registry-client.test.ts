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

async function all(names: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const name of names) found.push(name);
  return found;
}

function neverAsked(): Promise<never> {
  return Promise.reject(new Error('asked for the content'));
}

async function* content() {
  yield Buffer.from('content');
}

async function sevenBytes() {
  return { size: 7, content: content() };
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

  /** A registry that gives out numbered tokens and takes those that `accepts` names; uploads succeed. */
  async function tokenRegistry(accepts: (token: string) => boolean) {
    let tokens = 0;
    const held: (() => void)[] = [];
    const registry = await serve((request, response, url) => {
      const answer = (): void => {
        if (url.pathname === '/token') {
          tokens += 1;
          response.end(JSON.stringify({ token: String(tokens), expires_in: 100 }));
        } else if (!accepts((request.headers.authorization ?? '').replace('Bearer ', ''))) {
          response.writeHead(401, { 'www-authenticate': `Bearer realm="${registry.origin}/token",service="s"` });
          response.end();
        } else if (request.method === 'POST') response.writeHead(202, { location: '/v2/a/blobs/uploads/1' }).end();
        else response.writeHead(request.method === 'PUT' ? 201 : 404).end();
      };
      if (request.method === 'HEAD' && url.pathname.endsWith(LATE)) held.push(answer);
      else answer();
    });
    return { ...registry, release: () => held.splice(0).forEach((answer) => answer()), held };
  }
  const LATE = digestOf('late');

  it('keeps a token when a refusal of what was asked before there was one comes late', async () => {
    const registry = await tokenRegistry((token) => token !== '');
    const client = createRegistryClient({ http, clock: fixedClock(0) }, { url: registry.origin, credentials });
    const late = client.hasBlob('a', LATE);
    while (registry.held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await client.hasBlob('a', digestOf('early'))).toBe(false);
    // Refused now, when the token is there.
    registry.release();
    while (registry.held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    registry.release();
    await late;
    await client.putBlob('a', digestOf('content'), 7, content());
    expect(registry.seen.filter(({ path }) => path.startsWith('/token'))).toHaveLength(1);
  });

  it('has a token before it sends what it can send only once', async () => {
    const clock = fixedClock(0);
    const ends = new Set<string>();
    const registry = await tokenRegistry((token) => token !== '' && !ends.has(token));
    const client = createRegistryClient({ http, clock }, { url: registry.origin, credentials });
    const slow = async () => {
      // What is to be sent takes longer to be opened than the token lives.
      clock.advance(3600_000);
      ends.add('1');
      return { size: 7, content: content() };
    };
    expect(await client.mountOrPutBlob('a', digestOf('content'), 'b', slow)).toBe('sent');
    expect(registry.seen.filter(({ method }) => method === 'PUT')).toMatchObject([{ authorization: 'Bearer 2' }]);
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

  it('walks lists page by page, on its own origin whatever the link says', async () => {
    const registry = await serve((_request, response, url) => {
      const last = url.searchParams.get('last');
      if (url.pathname === '/v2/_catalog') {
        // As behind a proxy that the registry does not know of.
        if (last === null) response.setHeader('link', '<http://inner:5000/v2/_catalog?last=b&n=2>; rel="next"');
        response.end(JSON.stringify({ repositories: last === null ? ['a', 'b'] : ['c'] }));
      } else if (url.pathname === '/v2/a/tags/list') response.end('{"name":"a","tags":null}');
      else {
        response.statusCode = 404;
        response.end('{"errors":[{"code":"NAME_UNKNOWN"}]}');
      }
    });
    const client = createRegistryClient({ http, clock: fixedClock(0) }, { url: registry.origin });
    expect(await all(client.listRepositories())).toEqual(['a', 'b', 'c']);
    expect(await all(client.listTags('a'))).toEqual([]);
    expect(await all(client.listTags('gone'))).toEqual([]);
    expect(registry.seen.map(({ path }) => path).slice(0, 2)).toEqual([
      '/v2/_catalog?n=1000',
      '/v2/_catalog?last=b&n=2',
    ]);
  });

  it.each([
    ['the same page for ever', { repositories: ['a', 'b'] }],
    ['no list', { repositories: { a: 1 } }],
    ['names that are none', { repositories: ['a', 7] }],
    ['nothing of the kind', []],
  ])('ends a list that is %s', async (_, page) => {
    const registry = await serve((_request, response) => {
      response.setHeader('link', '</v2/_catalog?last=b>; rel="next"');
      response.end(JSON.stringify(page));
    });
    const client = createRegistryClient({ http, clock: fixedClock(0) }, { url: registry.origin });
    await expect(all(client.listRepositories())).rejects.toMatchObject({ code: 'invalid_response' });
    expect(registry.seen.length).toBeLessThan(3);
  });

  it('asks for nothing of the content when the registry mounts it, and names both repositories to the token service', async () => {
    const stored = new Map<string, string>();
    const scopes: string[][] = [];
    const registry = await serve((request, response, url) => {
      if (url.pathname === '/token') {
        scopes.push(url.searchParams.getAll('scope'));
        response.end(JSON.stringify({ token: 't' }));
      } else if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': `Bearer realm="${registry.origin}/token"` });
        response.end();
      } else if (request.method === 'POST' && url.searchParams.get('from') === 'front/has')
        response.writeHead(201).end();
      else if (request.method === 'POST') response.writeHead(202, { location: '/v2/front/new/blobs/uploads/1' }).end();
      else {
        stored.set(url.searchParams.get('digest') ?? '', request.headers['content-length'] ?? '');
        response.writeHead(201).end();
      }
    });
    const client = createRegistryClient({ http, clock: fixedClock(0) }, { url: registry.origin });
    const digest = digestOf('content');
    expect(await client.mountOrPutBlob('front/new', digest, 'front/has', neverAsked)).toBe('mounted');
    expect(scopes).toEqual([['repository:front/new:pull,push', 'repository:front/has:pull']]);
    // The token of the push is asked for by the request before the one with the content.
    expect(await client.mountOrPutBlob('front/new', digest, undefined, sevenBytes)).toBe('sent');
    expect([...stored]).toEqual([[digest, '7']]);
  });
});
