import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { digestOf } from '../oci/digest.ts';
import { OCI_MANIFEST } from '../oci/media-types.ts';
import { storeManifest } from './content-store.ts';
import { RegistryError } from './errors.ts';
import type { Caller, GateDecision, ManifestSubject, MirrorSource } from './ports.ts';
import { ensureRepository } from './repositories.ts';
import {
  imageManifest,
  type Pushed,
  pushBlob,
  pushImage,
  type Reply,
  startRegistry,
  type TestRegistry,
} from './testing.ts';

const SENTENCE = 'current image with 3 vulnerabilities cannot be pulled due to configured policy';

describe.each(ENGINES)('who may what, on %s', (engine) => {
  let registry: TestRegistry;
  let image: Pushed;
  const asked: { subject: ManifestSubject; caller: Caller }[] = [];
  let decision: GateDecision;
  let stored: (subject: ManifestSubject) => Promise<{ warnings: string[] }>;
  const upstream = new Map<string, string>();
  const fetched: string[] = [];
  let upstreamIsAway = false;

  const mirror: MirrorSource = {
    isMirrored: async (repository) => repository.startsWith('hub/'),
    repositoryFor: async (namespace, repository) =>
      namespace === 'docker.io' || namespace === 'odd host' ? `hub/${repository}` : undefined,
    referrers: async (repository, subject) =>
      repository.startsWith('hub/') ? [{ mediaType: OCI_MANIFEST, digest: subject, size: 1 }] : undefined,
    async ensureManifest(name, reference) {
      fetched.push(`${name}:${reference}`);
      if (upstreamIsAway)
        throw new RegistryError('unavailable', 'the upstream is away', { headers: { 'retry-after': '30' } });
      const content = upstream.get(reference);
      if (content === undefined) return undefined;
      const repository = await ensureRepository(registry.deps, name);
      const { digest } = await storeManifest(registry.deps, {
        repository,
        bytes: Buffer.from(content),
        tags: reference.includes(':') ? [] : [reference],
        createdBy: 'mirror',
        missingContent: 'accept',
      });
      return { digest, warnings: ['served from a copy'] };
    },
    async openBlob(_repository, digest) {
      const content = [...upstream.values(), 'far layer'].find((candidate) => digestOf(candidate) === digest);
      return content === undefined ? undefined : { size: content.length, content: asSource(content) };
    },
  };

  beforeAll(async () => {
    registry = await startRegistry(engine, 'memory', {
      mirror,
      gate: {
        async decide(subject, caller) {
          asked.push({ subject, caller });
          return decision;
        },
      },
      ingest: { blobCommitted: () => undefined, manifestStored: (subject) => stored(subject) },
    });
    decision = { kind: 'serve', warnings: [] };
    stored = async () => ({ warnings: [] });
    image = await pushImage(registry, 'front/app', 'v1');
    await registry.db
      .insertInto('upstreams')
      .values({
        project_id: 'project-hub',
        url: 'https://upstream.example',
        username: null,
        secret: null,
        freshness_seconds: 60,
      })
      .execute();
  });
  afterAll(async () => registry.close());

  const gateOnce = async (answer: GateDecision, method: 'GET' | 'HEAD', as?: string) => {
    asked.length = 0;
    decision = answer;
    const reply = await registry.call(method, '/v2/front/app/manifests/v1', as === undefined ? {} : { as });
    decision = { kind: 'serve', warnings: [] };
    return reply;
  };
  const scopeOfMount = async (from: string) => {
    const path = `/v2/front/app/blobs/uploads/?mount=${digestOf('x')}&from=${encodeURIComponent(from)}`;
    const { headers } = await registry.call('POST', path, { as: null });
    return /scope="([^"]*)"/.exec(String(headers['www-authenticate']))?.[1];
  };

  describe('authentication', () => {
    it('/v2/ answers 200 to callers and a challenge without scope to others', async () => {
      expect((await registry.call('GET', '/v2/')).status).toBe(200);
      const challenge = challengeOf(await registry.call('GET', '/v2/', { as: null }));
      expect(challenge).toBe(`Bearer realm="${registry.origin}/service/token",service="breakwater"`);
      expect(challengeOf(await registry.call('GET', '/v2', { as: 'stale' }))).toContain('error="invalid_token"');
    });

    it.each([
      ['GET', '/v2/front/app/manifests/v1', 'pull'],
      ['HEAD', '/v2/front/app/manifests/v1', 'pull'],
      ['GET', `/v2/front/app/blobs/${digestOf('x')}`, 'pull'],
      ['GET', '/v2/front/app/tags/list', 'pull'],
      ['GET', `/v2/front/app/referrers/${digestOf('x')}`, 'pull'],
      ['POST', '/v2/front/app/blobs/uploads/', 'pull,push'],
      ['PATCH', '/v2/front/app/blobs/uploads/00000000-0000-0000-0000-000000000000', 'pull,push'],
      ['PUT', '/v2/front/app/blobs/uploads/00000000-0000-0000-0000-000000000000', 'pull,push'],
      ['PUT', '/v2/front/app/manifests/v1', 'pull,push'],
      ['DELETE', '/v2/front/app/manifests/v1', 'delete'],
      ['DELETE', `/v2/front/app/blobs/${digestOf('x')}`, 'delete'],
    ] as const)('%s %s is challenged with the scope it needs', async (method, path, actions) => {
      for (const as of [null, 'nobody']) {
        const reply = await registry.call(method, path, { as });
        expect(reply.status).toBe(401);
        const challenge = String(reply.headers['www-authenticate']);
        expect(challenge).toContain(`scope="repository:front/app:${actions}"`);
        expect(challenge.includes('error="insufficient_scope"')).toBe(as === 'nobody');
      }
    });

    it('a mount is challenged with the repository it reads from too, when that is a name', async () => {
      expect(await scopeOfMount('back/base')).toBe('repository:front/app:pull,push repository:back/base:pull');
      for (const odd of ['back/base:*,push', 'x"\r\ny', ''])
        expect(await scopeOfMount(odd)).toBe('repository:front/app:pull,push');
    });

    it('the catalogue is challenged with its own scope', async () => {
      const challenge = challengeOf(await registry.call('GET', '/v2/_catalog', { as: null }));
      expect(challenge).toContain('scope="registry:catalog:*"');
    });

    it('does not tell strangers what exists', async () => {
      for (const path of ['/v2/front/app/manifests/v1', '/v2/front/none/manifests/v1', '/v2/none/x/manifests/v1'])
        expect((await registry.call('GET', path, { as: 'nobody' })).status).toBe(401);
    });

    it('takes the realm from the request only when its host is one', async () => {
      const challenge = await rawChallenge(registry.origin, 'evil.example"bad');
      expect(challenge).toMatch(/realm="http:\/\/localhost\/service\/token"|^$/);
      expect(await rawChallenge(registry.origin, 'registry.example:5000')).toContain(
        'realm="http://registry.example:5000/',
      );
    });
  });

  describe('the gate', () => {
    const refusal: GateDecision = { kind: 'refuse', code: 'PROJECTPOLICYVIOLATION', message: SENTENCE };

    it('refuses a GET with 412 in the known form', async () => {
      const reply = await gateOnce(refusal, 'GET', 'reader');
      expect(reply.status).toBe(412);
      expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(JSON.parse(reply.body.toString())).toEqual({
        errors: [{ code: 'PROJECTPOLICYVIOLATION', message: SENTENCE }],
      });
      expect(reply.headers['docker-content-digest']).toBeUndefined();
      expect(asked).toMatchObject([
        { subject: { repository: 'front/app', digest: image.digest, kind: 'image' }, caller: { name: 'reader' } },
      ]);
    });

    it('refuses a conditional GET too, and says when to come back', async () => {
      decision = { ...refusal, retryAfterSeconds: 5 };
      const reply = await registry.call('GET', '/v2/front/app/manifests/v1', {
        headers: { 'if-none-match': `"${image.digest}"` },
      });
      decision = { kind: 'serve', warnings: [] };
      expect([reply.status, reply.headers['retry-after']]).toEqual([412, '5']);
    });

    it('refuses the HEAD of a reader, never that of a pusher', async () => {
      const refused = await gateOnce(refusal, 'HEAD', 'reader');
      expect([refused.status, refused.body.length]).toEqual([412, 0]);
      expect((await gateOnce(refusal, 'HEAD', 'writer')).status).toBe(200);
      expect(asked).toEqual([]);
    });

    it('puts warnings on a GET, none on HEAD', async () => {
      const warned: GateDecision = { kind: 'serve', warnings: ['first "quoted"', 'second'] };
      const reply = await gateOnce(warned, 'GET', 'reader');
      expect([reply.status, [reply.headers['warning']].flat().join(', ')]).toEqual([
        200,
        '299 - "first \\"quoted\\"", 299 - "second"',
      ]);
      expect((await gateOnce(warned, 'HEAD', 'reader')).headers['warning']).toBeUndefined();
    });

    it('a gate that fails refuses', async () => {
      const broken = await startRegistry(engine, 'memory', {
        gate: {
          decide: async () => {
            throw new Error('database gone');
          },
        },
      });
      await pushImage(broken, 'front/app', 'v1');
      const reply = await broken.call('GET', '/v2/front/app/manifests/v1');
      await broken.close();
      expect([reply.status, reply.code]).toEqual([500, 'UNKNOWN']);
      expect(reply.body.toString()).not.toContain('database gone');
    });

    it('the reply to a push carries the warnings of its verdict; a verdict that fails does not fail the push', async () => {
      const seen: ManifestSubject[] = [];
      stored = async (subject) => {
        seen.push(subject);
        expect((await registry.call('HEAD', `/v2/front/app/manifests/${subject.digest}`)).status).toBe(200);
        return { warnings: ['3 critical'] };
      };
      const put = () =>
        registry.call('PUT', '/v2/front/app/manifests/again', {
          headers: { 'content-type': OCI_MANIFEST },
          body: image.bytes,
        });
      const reply = await put();
      expect([reply.status, reply.headers['warning']]).toEqual([201, '299 - "3 critical"']);
      expect(seen).toMatchObject([{ repository: 'front/app', digest: image.digest, kind: 'image' }]);
      stored = async () => {
        throw new Error('no verdict');
      };
      expect((await put()).status).toBe(201);
      stored = async () => ({ warnings: [] });
    });
  });

  describe('mirror projects', () => {
    const manifest = JSON.stringify(imageManifest('{}', ['far layer']));
    beforeAll(() => {
      upstream.set('1', manifest);
      upstream.set(digestOf(manifest), manifest);
    });

    it('fetch an unknown tag, gate it and serve it', async () => {
      asked.length = 0;
      const reply = await registry.call('GET', '/v2/hub/library/app/manifests/1', { as: 'reader' });
      expect([reply.status, reply.body.toString(), reply.headers['warning']]).toEqual([
        200,
        manifest,
        '299 - "served from a copy"',
      ]);
      expect(asked).toHaveLength(1);
    });

    it('never refuse a HEAD, but the GET that follows', async () => {
      decision = { kind: 'refuse', code: 'PROJECTPOLICYVIOLATION', message: SENTENCE };
      const head = await registry.call('HEAD', '/v2/hub/library/app/manifests/1', { as: 'reader' });
      const get = await registry.call('GET', '/v2/hub/library/app/manifests/1', { as: 'reader' });
      decision = { kind: 'serve', warnings: [] };
      expect([head.status, get.status]).toEqual([200, 412]);
    });

    it('leave it to the mirror whether a digest is here as a whole', async () => {
      fetched.length = 0;
      for (const name of ['hub/library/app', 'hub/other'])
        expect((await registry.call('GET', `/v2/${name}/manifests/${digestOf(manifest)}`)).status).toBe(200);
      expect(fetched).toEqual(['hub/library/app', 'hub/other'].map((name) => `${name}:${digestOf(manifest)}`));
    });

    it('answer 404 for what the upstream does not have, and 503 when it is away', async () => {
      const unknown = await registry.call('GET', '/v2/hub/library/app/manifests/none');
      expect([unknown.status, unknown.code]).toEqual([404, 'MANIFEST_UNKNOWN']);
      upstreamIsAway = true;
      const away = await registry.call('GET', '/v2/hub/library/app/manifests/1');
      upstreamIsAway = false;
      expect([away.status, away.code, away.headers['retry-after']]).toEqual([503, 'UNAVAILABLE', '30']);
    });

    it('stream blobs that are not here; HEAD knows their size from the manifest', async () => {
      const path = `/v2/hub/library/app/blobs/${digestOf('far layer')}`;
      const head = await registry.call('HEAD', path);
      expect([head.status, head.headers['content-length']]).toEqual([200, '9']);
      const reply = await registry.call('GET', path);
      expect([reply.status, reply.body.toString(), reply.headers['content-length']]).toEqual([200, 'far layer', '9']);
      expect((await registry.call('GET', `/v2/hub/library/app/blobs/${digestOf('none')}`)).code).toBe('BLOB_UNKNOWN');
    });

    it('are what a pull with the namespace of their upstream means, and say so', async () => {
      const ask = (path: string) => registry.call('GET', path, { as: 'reader' });
      const reply = await ask('/v2/library/app/manifests/1?ns=docker.io');
      expect([reply.status, reply.body.toString(), reply.headers['oci-namespace']]).toEqual([
        200,
        manifest,
        'docker.io',
      ]);
      const head = await registry.call('HEAD', '/v2/library/app/manifests/1?ns=docker.io', { as: 'reader' });
      expect([head.status, head.headers['oci-namespace']]).toEqual([200, 'docker.io']);
      const blob = await ask(`/v2/library/app/blobs/${digestOf('far layer')}?ns=docker.io`);
      expect([blob.status, blob.headers['oci-namespace']]).toEqual([200, 'docker.io']);
      const challenge = await registry.call('GET', '/v2/library/app/manifests/1?ns=docker.io', { as: null });
      expect(challengeOf(challenge)).toContain('scope="repository:hub/library/app:pull"');
    });

    it('a namespace that nobody mirrors is 404, even when we have a repository of that name; ours is no namespace', async () => {
      for (const namespace of ['quay.io', 'x"\r\nx: y', '', 'odd host'])
        expect(
          (await registry.call('GET', `/v2/front/app/manifests/v1?ns=${encodeURIComponent(namespace)}`)).code,
        ).toBe('NAME_UNKNOWN');
      const { host } = new URL(registry.origin);
      const reply = await registry.call('GET', `/v2/front/app/manifests/v1?ns=${host}`);
      expect([reply.status, reply.headers['oci-namespace']]).toEqual([200, undefined]);
      const posted = await registry.call('POST', '/v2/front/app/blobs/uploads/?ns=quay.io');
      expect(posted.status).toBe(202);
    });

    it('list the referrers that their upstream lists', async () => {
      const path = `/v2/hub/library/app/referrers/${digestOf(manifest)}`;
      const reply = await registry.call('GET', path, { as: 'reader' });
      expect(JSON.parse(reply.body.toString())).toMatchObject({ manifests: [{ digest: digestOf(manifest) }] });
      const filtered = await registry.call('GET', `${path}?artifactType=a/b`, { as: 'reader' });
      expect(JSON.parse(filtered.body.toString())).toMatchObject({ manifests: [] });
    });

    it('take no pushes', async () => {
      const post = await registry.call('POST', '/v2/hub/app/blobs/uploads/');
      const put = await registry.call('PUT', '/v2/hub/app/manifests/1', { body: manifest });
      for (const reply of [post, put]) expect([reply.status, reply.code]).toEqual([403, 'DENIED']);
    });
  });

  describe('odd requests', () => {
    it.each([
      ['GET', '/v2/front/app', 404],
      ['GET', '/v2/FRONT/app/tags/list', 400],
      ['GET', '/v2/front//app/tags/list', 400],
      ['GET', '/v2/front/../back/tags/list', 400],
      ['GET', `/v2/${'a/'.repeat(2000)}tags/list`, 400],
      ['GET', '/v2/front/app/manifests/', 404],
      ['GET', '/v2/front/app/%zz/tags/list', 400],
      ['PUT', '/v2/front/app/tags/list', 405],
      ['POST', '/v2/front/app/manifests/v1', 405],
      ['PATCH', '/v2/_catalog', 405],
      ['DELETE', '/v2/', 405],
    ] as const)('%s %s answers %d in the form of the specification', async (method, path, status) => {
      const reply = await rawRequest(registry.origin, method, path);
      expect(reply.status).toBe(status);
      if (!path.includes('%zz'))
        expect(JSON.parse(reply.body)).toMatchObject({ errors: [{ code: expect.any(String) }] });
    });

    it('repositories may have parts called manifests, blobs, tags and uploads', async () => {
      for (const name of ['front/manifests', 'front/blobs/uploads', 'front/tags/list', 'front/referrers/blobs']) {
        const digest = await pushBlob(registry, name, 'x');
        expect((await registry.call('GET', `/v2/${name}/blobs/${digest}`)).body.toString()).toBe('x');
        const odd = await pushImage(registry, name, 'list');
        expect((await registry.call('GET', `/v2/${name}/manifests/list`)).body.equals(odd.bytes)).toBe(true);
        expect((await registry.call('GET', `/v2/${name}/tags/list`)).status).toBe(200);
      }
    });
  });
});

function challengeOf(reply: Reply): string {
  expect([reply.status, reply.code]).toEqual([401, 'UNAUTHORIZED']);
  return String(reply.headers['www-authenticate']);
}

async function* asSource(content: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield Buffer.from(content);
}

/** Sends the request line as it is: clients of libraries tidy paths and hosts. */
function rawRequest(origin: string, method: string, path: string, host = 'localhost') {
  return new Promise<{ status: number; head: string; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('end', () => {
      const [head = '', body = ''] = text.split('\r\n\r\n', 2);
      resolve({ status: Number(head.split(' ')[1]), head, body });
    });
    socket.on('error', reject);
    const credentials = host === 'localhost' ? 'authorization: Bearer admin\r\n' : '';
    socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${credentials}connection: close\r\n\r\n`);
  });
}

async function rawChallenge(origin: string, host: string): Promise<string> {
  const { head } = await rawRequest(origin, 'GET', '/v2/', host);
  return /www-authenticate: (.*)/i.exec(head)?.[1] ?? '';
}
