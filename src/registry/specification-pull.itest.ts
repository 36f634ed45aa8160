import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { digestOf } from '../oci/digest.ts';
import { type Pushed, pushBlob, pushImage, startRegistry, type TestRegistry } from './testing.ts';

const UNKNOWN = digestOf('never pushed');
const TOO_MANY_WARNINGS = Array.from({ length: 100 }, (_, at) => `${at} ${'long '.repeat(50)}`);

/** What distribution-spec 1.1.1 and the next minor version demand of pulls (MUST), and of errors and warnings. */
describe.each(ENGINES)('distribution-spec, pull, on %s', (engine) => {
  const content = randomBytes(10_000);
  const digest = digestOf(content);
  const wide = digestOf(content, 'sha512');
  let registry: TestRegistry;
  let image: Pushed;
  beforeAll(async () => {
    registry = await startRegistry(engine, 'filesystem', {
      gate: {
        decide: async ({ reference }) => ({
          kind: 'serve',
          warnings: reference === 'warned' ? TOO_MANY_WARNINGS : [],
        }),
      },
    });
    await pushBlob(registry, 'front/app', content);
    await pushBlob(registry, 'front/app', content, 'sha512');
    image = await pushImage(registry, 'front/app', 'v1');
    await pushImage(registry, 'front/app', 'warned');
  });
  afterAll(async () => registry.close());

  const manifestAt = (by: string) => `/v2/front/app/manifests/${by === 'tag' ? 'v1' : image.digest}`;

  it('end-1: the base answers 200 to those who are logged in, 401 with a challenge to others', async () => {
    expect((await registry.call('GET', '/v2/')).status).toBe(200);
    const stranger = await registry.call('GET', '/v2/', { as: null });
    expect([stranger.status, stranger.code]).toEqual([401, 'UNAUTHORIZED']);
    expect(stranger.headers['www-authenticate']).toMatch(/^Bearer realm="/);
  });

  it.each(['tag', 'digest'])(
    'end-3: GET of a manifest by %s answers 200 with the pushed bytes, their type and digest',
    async (by) => {
      const reply = await registry.call('GET', manifestAt(by));
      expect(reply.status).toBe(200);
      expect(reply.body.equals(image.bytes)).toBe(true);
      expect(reply.headers).toMatchObject({
        'content-type': image.mediaType,
        'content-length': String(image.bytes.length),
        'docker-content-digest': image.digest,
        etag: `"${image.digest}"`,
        'docker-distribution-api-version': 'registry/2.0',
      });
    },
  );

  it.each(['tag', 'digest'])(
    'end-3: HEAD of a manifest by %s answers 200 with digest, length and type, without a body',
    async (by) => {
      const reply = await registry.call('HEAD', manifestAt(by));
      expect([reply.status, reply.body.length]).toEqual([200, 0]);
      expect(reply.headers).toMatchObject({
        'content-type': image.mediaType,
        'content-length': String(image.bytes.length),
        'docker-content-digest': image.digest,
      });
    },
  );

  it.each([
    ['a tag that is not there', 'nothing'],
    ['a digest that is not there', UNKNOWN],
    ['what is neither a tag nor a digest', '.INVALID'],
    ['a tag of more than 128 characters', 'x'.repeat(129)],
  ])('end-3: GET and HEAD of %s answer 404', async (_, reference) => {
    const reply = await registry.call('GET', `/v2/front/app/manifests/${reference}`);
    expect([reply.status, reply.code]).toEqual([404, 'MANIFEST_UNKNOWN']);
    expect((await registry.call('HEAD', `/v2/front/app/manifests/${reference}`)).status).toBe(404);
  });

  it('end-3, end-2: a pull from a repository that is not there answers 404', async () => {
    for (const path of ['manifests/v1', `manifests/${UNKNOWN}`, `blobs/${UNKNOWN}`]) {
      const reply = await registry.call('GET', `/v2/front/nothing/${path}`);
      expect([reply.status, reply.code]).toEqual([404, 'NAME_UNKNOWN']);
      expect((await registry.call('HEAD', `/v2/front/nothing/${path}`)).status).toBe(404);
    }
  });

  it.each(['sha256', 'sha512'])(
    'end-2: GET of a blob answers 200 with its content and the digest of that content (%s)',
    async (algorithm) => {
      const wanted = algorithm === 'sha256' ? digest : wide;
      const reply = await registry.call('GET', `/v2/front/app/blobs/${wanted}`);
      expect(reply.status).toBe(200);
      expect(reply.body.equals(content)).toBe(true);
      expect(reply.headers).toMatchObject({
        'content-length': '10000',
        'docker-content-digest': wanted,
        'content-type': 'application/octet-stream',
        'accept-ranges': 'bytes',
        etag: `"${wanted}"`,
      });
    },
  );

  it.each(['sha256', 'sha512'])(
    'end-2: HEAD of a blob answers 200 with digest and length, without content (%s)',
    async (algorithm) => {
      const wanted = algorithm === 'sha256' ? digest : wide;
      const reply = await registry.call('HEAD', `/v2/front/app/blobs/${wanted}`);
      expect([reply.status, reply.body.length]).toEqual([200, 0]);
      expect(reply.headers).toMatchObject({ 'content-length': '10000', 'docker-content-digest': wanted });
    },
  );

  it('end-2: GET and HEAD of a blob that is not there answer 404', async () => {
    const reply = await registry.call('GET', `/v2/front/app/blobs/${UNKNOWN}`);
    expect([reply.status, reply.code]).toEqual([404, 'BLOB_UNKNOWN']);
    expect((await registry.call('HEAD', `/v2/front/app/blobs/${UNKNOWN}`)).status).toBe(404);
  });

  it('end-2, end-3: blobs and manifests are in no repository but the one they were pushed to', async () => {
    await pushBlob(registry, 'front/other', 'x');
    for (const path of [`manifests/${image.digest}`, `blobs/${digest}`])
      expect((await registry.call('GET', `/v2/front/other/${path}`)).status).toBe(404);
  });

  it.each(['front/App', 'front/app-', 'front/-app', 'front/a..b', 'front/a___b', 'front//app', 'front/a+b'])(
    'names: %s is none and answers 400',
    async (name) => {
      const reply = await registry.call('GET', `/v2/${name}/manifests/v1`);
      expect([reply.status, reply.code]).toEqual([400, 'NAME_INVALID']);
    },
  );

  it.each(['front/a', 'front/a.b', 'front/a_b', 'front/a__b', 'front/a---b', 'front/0/1/2/3'])(
    'names: %s is one',
    async (name) => {
      const pushed = await pushBlob(registry, name, name);
      expect((await registry.call('GET', `/v2/${name}/blobs/${pushed}`)).body.toString()).toBe(name);
    },
  );

  it('errors: the body is a list of errors, each with a code that the specification knows', async () => {
    const requests = [
      ['GET', '/v2/front/app/manifests/none'],
      ['GET', `/v2/front/app/blobs/${UNKNOWN}`],
      ['GET', '/v2/front/app/blobs/sha256:x'],
      ['GET', '/v2/front/APP/tags/list'],
      ['GET', '/v2/front/none/tags/list'],
      ['GET', '/v2/front/app/tags/list?n=x'],
      ['GET', '/v2/front/app'],
      ['PATCH', '/v2/front/app/blobs/uploads/none'],
      ['PUT', '/v2/front/app/manifests/v1'],
      ['PUT', `/v2/front/app/manifests/${UNKNOWN}`],
      ['POST', '/v2/front/app/manifests/v1'],
      ['POST', '/v2/front/app/blobs/uploads/?digest-algorithm=md5'],
    ] as const;
    for (const [method, path] of requests) {
      const reply = await registry.call(method, path);
      expect(reply.status, path).toBeGreaterThanOrEqual(400);
      expect(reply.status, path).toBeLessThan(500);
      expect(String(reply.headers['content-type']), path).toMatch(/^application\/json/);
      const { errors } = JSON.parse(reply.body.toString()) as { errors: { code: string; message: string }[] };
      expect(errors, path).toHaveLength(1);
      for (const { code } of errors) expect(CODES, `${method} ${path}`).toContain(code);
    }
    const outside = await registry.call('GET', `/v2/front/app/blobs/${digest}`, { headers: { range: 'bytes=10000-' } });
    expect(CODES).toContain(outside.code);
    const stranger = await registry.call('GET', manifestAt('tag'), { as: 'nobody' });
    expect([stranger.status, stranger.code]).toEqual([401, 'UNAUTHORIZED']);
  });

  it('warnings: code 299, agent "-", no date, at most 4096 bytes in all', async () => {
    const { headers } = await registry.call('GET', '/v2/front/app/manifests/warned');
    const warnings = [headers['warning'] ?? []].flat().flatMap((line) => line.split(/, (?=299)/));
    expect(warnings.length).toBeGreaterThan(1);
    for (const warning of warnings) expect(warning).toMatch(/^299 - "(?:[^"\\]|\\.)*"$/);
    expect(Buffer.byteLength(warnings.join(''))).toBeLessThanOrEqual(4096);
  });
});

const CODES = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
];
