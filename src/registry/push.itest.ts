import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { digestOf } from '../oci/digest.ts';
import { startRegistry, type TestRegistry } from './testing.ts';
import { purgeUploads } from './upload-sessions.ts';

const DAY = 86_400_000;
const SETUPS = ENGINES.flatMap((engine) => (['filesystem', 'memory'] as const).map((driver) => ({ engine, driver })));

describe.each(SETUPS)('pushing blobs, on $engine with $driver', ({ engine, driver }) => {
  let registry: TestRegistry;
  const committed: string[] = [];
  beforeAll(async () => {
    registry = await startRegistry(engine, driver, {
      ingest: {
        blobCommitted: ({ digest }) => committed.push(digest),
        manifestStored: async () => ({ warnings: [] }),
      },
    });
  });
  afterAll(async () => registry.close());

  async function begin(query = ''): Promise<string> {
    const reply = await registry.call('POST', `/v2/front/app/blobs/uploads/${query}`);
    expect(reply.status).toBe(202);
    return String(reply.headers['location']);
  }

  async function isThere(digest: string, repository = 'front/app'): Promise<boolean> {
    return (await registry.call('HEAD', `/v2/${repository}/blobs/${digest}`)).status === 200;
  }

  it('POST begins an upload: 202, relative Location, Range 0-0, length 0', async () => {
    const reply = await registry.call('POST', '/v2/front/app/blobs/uploads/');
    expect(reply.status).toBe(202);
    expect(reply.headers['location']).toMatch(/^\/v2\/front\/app\/blobs\/uploads\/[0-9a-f-]{36}$/);
    expect(reply.headers).toMatchObject({ range: '0-0', 'content-length': '0' });
    expect(reply.headers['location']).toContain(String(reply.headers['docker-upload-uuid']));
    expect((await registry.call('POST', '/v2/front/app/blobs/uploads')).status).toBe(202);
  });

  it.each(['sha256', 'sha512'] as const)('takes a whole blob in one POST (%s)', async (algorithm) => {
    const content = randomBytes(70_000);
    const digest = digestOf(content, algorithm);
    const reply = await registry.call('POST', `/v2/front/app/blobs/uploads/?digest=${digest}`, { body: content });
    expect(reply.status).toBe(201);
    expect(reply.headers).toMatchObject({
      location: `/v2/front/app/blobs/${digest}`,
      'docker-content-digest': digest,
      'content-length': '0',
    });
    expect(committed).toContain(digest);
    expect((await registry.call('GET', String(reply.headers['location']))).body.equals(content)).toBe(true);
  });

  it.each(['', '?digest-algorithm=sha512', '?digest-algorithm=sha256'])(
    'takes chunks with Content-Range, the last one with PUT (POST %s)',
    async (query) => {
      const content = randomBytes(100_000);
      const digest = digestOf(content, query.includes('512') ? 'sha512' : 'sha256');
      let location = await begin(query);
      for (const [first, last] of [
        [0, 9_999],
        [10_000, 59_999],
      ] as const) {
        const reply = await registry.call('PATCH', location, {
          headers: { 'content-range': `${first}-${last}` },
          body: content.subarray(first, last + 1),
        });
        expect([reply.status, reply.headers['range'], reply.headers['content-length']]).toEqual([
          202,
          `0-${last}`,
          '0',
        ]);
        location = String(reply.headers['location']);
      }
      const done = await registry.call('PUT', finishAt(location, digest), {
        headers: { 'content-range': '60000-99999' },
        body: content.subarray(60_000),
      });
      expect(done.status).toBe(201);
      expect((await registry.call('GET', `/v2/front/app/blobs/${digest}`)).body.equals(content)).toBe(true);
    },
  );

  it('takes one PATCH of unknown length, then an empty PUT (docker, skopeo)', async () => {
    const content = randomBytes(3_000_000);
    const patched = await registry.call('PATCH', await begin(), { body: slowly(content) });
    expect([patched.status, patched.headers['range']]).toEqual([202, '0-2999999']);
    const done = await registry.call('PUT', finishAt(String(patched.headers['location']), digestOf(content)));
    expect(done.status).toBe(201);
    expect(await isThere(digestOf(content))).toBe(true);
  });

  it('takes chunks without Content-Range one after the other', async () => {
    const location = await begin();
    for (const part of ['one ', 'two ', 'three']) await registry.call('PATCH', location, { body: part });
    expect((await registry.call('PUT', finishAt(location, digestOf('one two three')))).status).toBe(201);
  });

  it('takes the empty blob', async () => {
    expect((await registry.call('PUT', finishAt(await begin(), digestOf('')))).status).toBe(201);
    expect(await isThere(digestOf(''))).toBe(true);
  });

  it('refuses chunks out of order and repeated ones with 416 and says where it stands', async () => {
    const location = await begin();
    await registry.call('PATCH', location, { headers: { 'content-range': '0-4' }, body: 'hello' });
    for (const range of ['0-4', '6-10', '4-8']) {
      const reply = await registry.call('PATCH', location, { headers: { 'content-range': range }, body: 'xxxxx' });
      expect([reply.status, reply.code, reply.headers['range'], reply.headers['location']]).toEqual([
        416,
        'BLOB_UPLOAD_INVALID',
        '0-4',
        location,
      ]);
    }
    const first = await registry.call('PATCH', await begin(), { headers: { 'content-range': '3-7' }, body: 'hello' });
    expect(first.status).toBe(416);
    const put = await registry.call('PUT', finishAt(location, digestOf('hello')), {
      headers: { 'content-range': '9-13' },
      body: 'hello',
    });
    expect(put.status).toBe(416);
    const status = await registry.call('GET', location);
    expect([status.status, status.headers['range'], status.headers['location']]).toEqual([204, '0-4', location]);
    const resumed = await registry.call('PUT', finishAt(location, digestOf('hello world')), {
      headers: { 'content-range': '5-10' },
      body: ' world',
    });
    expect(resumed.status).toBe(201);
  });

  it.each(['bytes 0-4/5', '0-', 'x-y', '5-3', '-1-4', '0-99999999999999999999'])(
    'refuses the malformed Content-Range %j with 400',
    async (range) => {
      const reply = await registry.call('PATCH', await begin(), { headers: { 'content-range': range }, body: 'hello' });
      expect([reply.status, reply.code]).toEqual([400, 'BLOB_UPLOAD_INVALID']);
    },
  );

  it('refuses a Content-Range that disagrees with Content-Length', async () => {
    const reply = await registry.call('PATCH', await begin(), { headers: { 'content-range': '0-9' }, body: 'hello' });
    expect([reply.status, reply.code]).toEqual([400, 'SIZE_INVALID']);
  });

  it('refuses content of another digest with 400, in every style, and shows nothing', async () => {
    const wrong = digestOf(`something else ${driver}`);
    const post = await registry.call('POST', `/v2/front/app/blobs/uploads/?digest=${wrong}`, { body: 'content' });
    const put = await registry.call('PUT', finishAt(await begin(), wrong), { body: 'content' });
    const location = await begin();
    await registry.call('PATCH', location, { body: 'content' });
    const chunked = await registry.call('PUT', finishAt(location, wrong));
    for (const reply of [post, put, chunked]) expect([reply.status, reply.code]).toEqual([400, 'DIGEST_INVALID']);
    expect(await isThere(wrong)).toBe(false);
    expect((await registry.call('GET', location)).status).toBe(404);
  });

  it.each(['sha256:baddigeststring', 'md5:d41d8cd98f00b204e9800998ecf8427e', ''])(
    'refuses the digest %j with 400 and keeps the upload',
    async (digest) => {
      const location = await begin();
      await registry.call('PATCH', location, { body: 'content' });
      const reply = await registry.call('PUT', finishAt(location, digest));
      expect([reply.status, reply.code]).toEqual([400, 'DIGEST_INVALID']);
      expect((await registry.call('GET', location)).headers['range']).toBe('0-6');
    },
  );

  it('refuses an unknown digest algorithm with 400', async () => {
    const reply = await registry.call('POST', '/v2/front/app/blobs/uploads/?digest-algorithm=md5');
    expect([reply.status, reply.code]).toEqual([400, 'DIGEST_INVALID']);
  });

  it('DELETE cancels an upload with 204; then every use of it is 404', async () => {
    const location = await begin();
    await registry.call('PATCH', location, { body: 'content' });
    expect((await registry.call('DELETE', location)).status).toBe(204);
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE'] as const) {
      const reply = await registry.call(method, finishAt(location, digestOf('content')));
      expect([method, reply.status, reply.code]).toEqual([
        method,
        404,
        method === 'GET' ? reply.code : 'BLOB_UPLOAD_UNKNOWN',
      ]);
    }
  });

  it('an upload belongs to its repository, and odd ids are unknown', async () => {
    const location = await begin();
    const elsewhere = location.replace('/front/app/', '/back/app/');
    expect((await registry.call('PATCH', elsewhere, { body: 'x' })).status).toBe(404);
    for (const id of ['x', '%2e%2e%2f%2e%2e', 'a'.repeat(5000)]) {
      const reply = await registry.call('PATCH', `/v2/front/app/blobs/uploads/${id}`, { body: 'x' });
      expect([reply.status, reply.code]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    }
  });

  it('a second PATCH at the same time gets 416; the first is not disturbed', async () => {
    const location = await begin();
    const gate = Promise.withResolvers<void>();
    const first = registry.call('PATCH', location, { body: gated(['hello ', 'world'], gate.promise) });
    await sleep(50);
    const second = await registry.call('PATCH', location, { body: 'intruder' });
    expect(second.status).toBe(416);
    gate.resolve();
    expect((await first).headers['range']).toBe('0-10');
    expect((await registry.call('PUT', finishAt(location, digestOf('hello world')))).status).toBe(201);
  });

  it('a client that breaks off keeps what arrived and can go on', async () => {
    const content = randomBytes(500_000);
    const location = await begin();
    await breakOff(`${registry.origin}${location}`, content.subarray(0, 300_000));
    const stands = await eventually(async () => {
      const reply = await registry.call('GET', location);
      const received = Number(String(reply.headers['range']).slice(2)) + 1;
      return received === 300_000 ? received : undefined;
    });
    // The server may notice a little later that the first connection is gone: 416 until then.
    const status = await eventually(async () => {
      const body = content.subarray(stands);
      const reply = await registry.call('PUT', finishAt(location, digestOf(content)), { body });
      return reply.status === 416 ? undefined : reply.status;
    });
    expect(status).toBe(201);
  });

  it('takes the same blob from many clients at once', async () => {
    const content = randomBytes(400_000);
    const digest = digestOf(content);
    const statuses = await Promise.all(
      Array.from({ length: 10 }, async (_, at) => {
        const repository = `front/race-${at % 3}`;
        if (at % 2 === 0)
          return (await registry.call('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: content }))
            .status;
        const { headers } = await registry.call('POST', `/v2/${repository}/blobs/uploads/`);
        return (await registry.call('PUT', finishAt(String(headers['location']), digest), { body: slowly(content) }))
          .status;
      }),
    );
    expect(statuses).toEqual(Array.from({ length: 10 }, () => 201));
    for (const at of [0, 1, 2])
      expect((await registry.call('GET', `/v2/front/race-${at}/blobs/${digest}`)).body.equals(content)).toBe(true);
  });

  it('two clients that finish one upload make one blob', async () => {
    const location = await begin();
    await registry.call('PATCH', location, { body: `raced ${driver}` });
    const digest = digestOf(`raced ${driver}`);
    const statuses = await Promise.all(
      [1, 2].map(async () => (await registry.call('PUT', finishAt(location, digest))).status),
    );
    expect(statuses).toContain(201);
    expect(statuses.every((status) => status < 500)).toBe(true);
    expect(await isThere(digest)).toBe(true);
  });

  const onlyFilesSurvive = driver === 'memory' ? undefined : it;
  onlyFilesSurvive?.('an upload survives a restart, sha512 too', async () => {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const content = randomBytes(200_000);
      const location = await begin(`?digest-algorithm=${algorithm}`);
      await registry.call('PATCH', location, { body: content.subarray(0, 150_000) });
      await registry.restart();
      expect((await registry.call('GET', location)).headers['range']).toBe('0-149999');
      await registry.call('PATCH', location, {
        headers: { 'content-range': '150000-199999' },
        body: content.subarray(150_000),
      });
      expect((await registry.call('PUT', finishAt(location, digestOf(content, algorithm)))).status).toBe(201);
    }
  });

  it('abandoned uploads are purged after seven days, others are not', async () => {
    const old = await begin();
    await registry.call('PATCH', old, { body: 'old' });
    registry.clock.advance(6 * DAY);
    const alive = await begin();
    await registry.call('PATCH', old, { body: ' but alive' });
    registry.clock.advance(2 * DAY);
    const fresh = await begin();
    await purgeUploads(registry.deps);
    const status = async (location: string) => (await registry.call('GET', location)).status;
    expect([await status(old), await status(alive), await status(fresh)]).toEqual([204, 204, 204]);
    registry.clock.advance(6 * DAY);
    expect(await purgeUploads(registry.deps)).toBeGreaterThanOrEqual(2);
    expect([await status(old), await status(alive), await status(fresh)]).toEqual([404, 404, 204]);
  });

  it('an unknown project answers 404 and says how to make it', async () => {
    const reply = await registry.call('POST', '/v2/nothing/app/blobs/uploads/');
    expect([reply.status, reply.code]).toEqual([404, 'NAME_UNKNOWN']);
    expect(reply.body.toString()).toContain('breakwater project create nothing');
  });

  it('a name without a path answers NAME_INVALID', async () => {
    const reply = await registry.call('POST', '/v2/front/blobs/uploads/');
    expect([reply.status, reply.code]).toEqual([400, 'NAME_INVALID']);
  });
});

function finishAt(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

async function* slowly(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 60_000) {
    await sleep(0);
    yield content.subarray(at, at + 60_000);
  }
}

async function* gated(parts: readonly string[], gate: Promise<void>): AsyncGenerator<Uint8Array> {
  for (const [at, part] of parts.entries()) {
    if (at > 0) await gate;
    yield Buffer.from(part);
  }
}

/** Sends a PATCH that promises more than it holds, and drops the connection. */
function breakOff(url: string, content: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const sent = httpRequest(url, {
      method: 'PATCH',
      headers: { authorization: 'Bearer admin', 'content-length': 9_999_999 },
    });
    sent.on('error', () => resolve());
    sent.write(content, () => setTimeout(() => sent.destroy(), 50));
  });
}

async function eventually<Result>(probe: () => Promise<Result | undefined>): Promise<Result> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const result = await probe();
    if (result !== undefined) return result;
    await sleep(20);
  }
  throw new Error('it never came to that');
}
