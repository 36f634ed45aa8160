import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { digestOf } from '../oci/digest.ts';
import { type Pushed, pushBlob, pushImage, startRegistry, type TestRegistry } from './testing.ts';

const UNKNOWN = digestOf('never pushed');

describe.each(ENGINES)('pulling, on %s', (engine) => {
  const content = randomBytes(10_000);
  const digest = digestOf(content);
  let registry: TestRegistry;
  let image: Pushed;
  beforeAll(async () => {
    registry = await startRegistry(engine, 'filesystem');
    await pushBlob(registry, 'front/app', content);
    image = await pushImage(registry, 'front/app', 'v1');
  });
  afterAll(async () => registry.close());

  describe('manifests', () => {
    it.each(['sha256:baddigeststring', 'sha256:', 'md5:d41d8cd98f00b204e9800998ecf8427e', `sha256:${'A'.repeat(64)}`])(
      'the malformed or unsupported digest %s answers 400',
      async (reference) => {
        const reply = await registry.call('GET', `/v2/front/app/manifests/${reference}`);
        expect([reply.status, reply.code]).toEqual([400, 'DIGEST_INVALID']);
      },
    );

    it('a digest with an escaped colon is the same digest', async () => {
      const path = `/v2/front/app/manifests/${image.digest.replace(':', '%3A')}`;
      expect((await registry.call('GET', path)).status).toBe(200);
    });

    it('If-None-Match with the digest answers 304 without a body', async () => {
      for (const tag of [`"${image.digest}"`, `W/"${image.digest}"`, '*', `"x", "${image.digest}"`]) {
        const reply = await registry.call('GET', '/v2/front/app/manifests/v1', { headers: { 'if-none-match': tag } });
        expect([reply.status, reply.body.length]).toEqual([304, 0]);
      }
      const changed = await registry.call('GET', '/v2/front/app/manifests/v1', {
        headers: { 'if-none-match': `"${UNKNOWN}"` },
      });
      expect(changed.status).toBe(200);
    });
  });

  describe('blobs', () => {
    it('what is refused answers 412 in the words of the gate; pushers may look for it', async () => {
      const refusal = {
        kind: 'refuse',
        code: 'PROJECTPOLICYVIOLATION',
        message: 'not this',
        retryAfterSeconds: 7,
      } as const;
      const gated = await startRegistry(engine, 'memory', { blobGate: { decide: async () => refusal } });
      try {
        const blob = await pushBlob(gated, 'front/app', content);
        const reply = await gated.call('GET', `/v2/front/app/blobs/${blob}`);
        expect([reply.status, reply.code, reply.headers['retry-after']]).toEqual([412, 'PROJECTPOLICYVIOLATION', '7']);
        expect(reply.body.toString()).toContain('not this');
        expect((await gated.call('HEAD', `/v2/front/app/blobs/${blob}`)).status).toBe(200);
      } finally {
        await gated.close();
      }
    });

    it('the empty blob has length 0', async () => {
      const empty = await pushBlob(registry, 'front/app', '');
      const reply = await registry.call('GET', `/v2/front/app/blobs/${empty}`);
      expect([reply.status, reply.body.length, reply.headers['content-length']]).toEqual([200, 0, '0']);
      const range = await registry.call('GET', `/v2/front/app/blobs/${empty}`, { headers: { range: 'bytes=0-' } });
      expect([range.status, range.headers['content-range']]).toEqual([416, 'bytes */0']);
    });

    it('a malformed digest answers 400', async () => {
      const malformed = await registry.call('GET', '/v2/front/app/blobs/sha256:xyz');
      expect([malformed.status, malformed.code]).toEqual([400, 'DIGEST_INVALID']);
    });

    it.each([
      ['bytes=0-0', 0, 0],
      ['bytes=2000-2999', 2000, 2999],
      ['bytes=9000-', 9000, 9999],
      ['bytes=-500', 9500, 9999],
      ['bytes=-20000', 0, 9999],
      ['bytes=9000-50000', 9000, 9999],
    ])('Range %s answers 206 with that part', async (range, first, last) => {
      const reply = await registry.call('GET', `/v2/front/app/blobs/${digest}`, { headers: { range } });
      expect(reply.status).toBe(206);
      expect(reply.headers['content-range']).toBe(`bytes ${first}-${last}/10000`);
      expect(reply.headers['content-length']).toBe(String(last - first + 1));
      expect(reply.body.equals(content.subarray(first, last + 1))).toBe(true);
    });

    it.each(['bytes=10000-', 'bytes=10000-20000', 'bytes=500-0', 'bytes=-0', `bytes=${'9'.repeat(30)}-`])(
      'Range %s answers 416 with the size',
      async (range) => {
        const reply = await registry.call('GET', `/v2/front/app/blobs/${digest}`, { headers: { range } });
        expect([reply.status, reply.headers['content-range']]).toEqual([416, 'bytes */10000']);
      },
    );

    it.each(['lines=1-2', 'bytes=0-1,5-6', 'bytes=-', 'bytes=a-b', 'garbage'])(
      'Range %s is not for us and answers with the whole',
      async (range) => {
        const reply = await registry.call('GET', `/v2/front/app/blobs/${digest}`, { headers: { range } });
        expect([reply.status, reply.body.length]).toEqual([200, content.length]);
      },
    );

    it('If-Range of other content answers with the whole', async () => {
      const ask = async (tag: string) =>
        (
          await registry.call('GET', `/v2/front/app/blobs/${digest}`, {
            headers: { range: 'bytes=0-9', 'if-range': tag },
          })
        ).status;
      expect([await ask(`"${digest}"`), await ask(`"${UNKNOWN}"`)]).toEqual([206, 200]);
    });

    it('If-None-Match with the digest answers 304', async () => {
      const headers = { 'if-none-match': `"${digest}"` };
      expect((await registry.call('GET', `/v2/front/app/blobs/${digest}`, { headers })).status).toBe(304);
    });

    it('answers 503 and not half a blob when the storage lost or damaged it', async () => {
      const lost = await pushBlob(registry, 'front/app', 'will be lost');
      await registry.blobs.delete(lost);
      const reply = await registry.call('GET', `/v2/front/app/blobs/${lost}`);
      expect([reply.status, reply.code]).toEqual([503, 'UNAVAILABLE']);
      await pushBlob(registry, 'front/app', 'will be lost');
      expect((await registry.call('GET', `/v2/front/app/blobs/${lost}`)).status).toBe(200);
    });

    it('streams many large blobs at once, and a client that leaves harms nobody', async () => {
      const large = randomBytes(8_000_000);
      const target = `/v2/front/app/blobs/${await pushBlob(registry, 'front/app', large)}`;
      const leaving = leaveEarly(`${registry.origin}${target}`);
      const replies = await Promise.all(Array.from({ length: 8 }, async () => registry.call('GET', target)));
      await leaving;
      for (const reply of replies) expect(reply.body.equals(large)).toBe(true);
    });
  });
});

/** Begins to read and drops the connection. */
async function leaveEarly(url: string): Promise<void> {
  const aborted = new AbortController();
  const reply = await fetch(url, { headers: { authorization: 'Bearer admin' }, signal: aborted.signal });
  await reply.body?.getReader().read();
  aborted.abort();
}
