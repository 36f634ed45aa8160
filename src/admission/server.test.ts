import './reflect-metadata.ts';
import { webcrypto } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ClientRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PemConverter, X509Certificate, X509CertificateGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConstraint } from '../constraints/constraint.ts';
import { type ImageFacts, NO_FACTS } from '../constraints/image-facts.ts';
import { rulesOf } from '../constraints/rules.ts';
import { testPod } from '../constraints/testing.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { issueAuthority, type KeyedCertificate } from './certificate-issuer.ts';
import { type Certificates, openCertificates } from './certificates.ts';
import { readAuthorities } from './client-check.ts';
import { type ConstraintSource, staticConstraintSource } from './constraint-source.ts';
import type { AdmissionRequest } from './parse-review.ts';
import { createWebhookServer, type WebhookServer } from './server.ts';
import { testRequest } from './testing.ts';

let folder: string;
let certificates: Certificates;
let server: WebhookServer;
let port: number;
let repos = ['harbor.cksc.a1ck.io'];
let ready = true;
let facts: () => Promise<ImageFacts> = async () => NO_FACTS;
let broken: Partial<ConstraintSource> = {};
const decisions: string[] = [];
const undecided: string[] = [];
const selecting = parseConstraint({
  kind: 'K8sAllowedRepos',
  metadata: { name: 'selecting' },
  spec: {
    match: { namespaceSelector: { matchExpressions: [{ key: 'owner', operator: 'NotIn', values: ['operator'] }] } },
    parameters: { repos: ['a.io/'] },
  },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-webhook-'));
  certificates = await openCertificates({ folder, hosts: ['localhost', '127.0.0.1'], clock: systemClock });
  const fixed = staticConstraintSource({ name: 'require-harbor-repo', enforcementAction: 'deny', repos: () => repos });
  const source: ConstraintSource = {
    ...fixed,
    rules: () => (broken.rules ?? (() => (ready ? fixed.rules() : undefined)))(),
    namespaceLabels: (name) => broken.namespaceLabels?.(name),
    ensureNamespace: async (name) => broken.ensureNamespace?.(name),
  };
  server = createWebhookServer({
    source,
    facts: { factsAbout: () => facts() },
    logger: silentLogger,
    tls: certificates.tls(),
    exemptNamespaces: ['kube-system', 'platform-*', '*-infra'],
    replica: 'guard-0',
    deadlineMs: 200,
    onUndecided: (why) => undecided.push(why),
    onDecision: ({ response }) => decisions.push(String(response.allowed)),
  });
  port = await server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly kind: string;
  readonly message: string;
  readonly response: { readonly allowed: boolean; readonly status?: object; readonly warnings?: string[] };
}

async function post(
  path: string,
  body: string,
  ca = certificates.caBundle,
  type = 'application/json',
): Promise<{ code: number; body: Answer }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method: 'POST', agent: new Agent({ ca }), headers: { 'content-type': type } },
      (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        reply.on('end', () => resolve({ code: reply.statusCode ?? 0, body: JSON.parse(text) as Answer }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

function allowedRepos(repos: unknown): object {
  return {
    apiVersion: 'constraints.gatekeeper.sh/v1beta1',
    kind: 'K8sAllowedRepos',
    metadata: { name: 'c' },
    spec: { parameters: { repos } },
  };
}

function podOf(images: number): object {
  const containers = Array.from({ length: images }, (_, at) => ({ name: `c${at}`, image: `evil.example.com/x:${at}` }));
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'many' }, spec: { containers } };
}

function reviewOf(request: unknown): string {
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
}

describe('webhook server', () => {
  it('answers reviews over TLS that its own authority vouches for', async () => {
    const { code, body } = await post('/v1/admit?timeout=3s', reviewOf(testRequest(testPod('nginx'))));
    expect(code).toBe(200);
    expect(body).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'u1', allowed: false, status: { code: 403, reason: 'Forbidden' } },
    });
    expect(decisions).toContain('false');
  });

  it('follows the trusted set without a restart', async () => {
    repos = ['docker.io/library/'];
    const { body } = await post('/v1/admit', reviewOf(testRequest(testPod('nginx'))));
    expect(body.response).toEqual({ uid: 'u1', allowed: true });
  });

  it('does not pretend to have decided before it knows the constraints', async () => {
    ready = false;
    expect(await post('/v1/admit', reviewOf(testRequest(testPod('nginx'))))).toMatchObject({
      code: 503,
      body: { kind: 'Status', reason: 'ServiceUnavailable' },
    });
    ready = true;
  });

  it.each([['fail', () => Promise.reject(new Error('database away'))]])(
    'judges the source alone when verdicts %s, and says so',
    async (_how, trouble) => {
      facts = trouble;
      const { body } = await post('/v1/admit', reviewOf(testRequest(testPod('nginx', 'evil/x'))));
      facts = async () => NO_FACTS;
      expect(body.response).toMatchObject({ allowed: false, status: { code: 403 } });
      expect(body.response.warnings?.[0]).toMatch(/^the verdicts of the registry could not be read in time/);
    },
  );

  it.each([
    ['{"kind":', 400, 'not JSON'],
    ['null', 400, 'not an AdmissionReview'],
    ['{}', 400, 'apiVersion'],
    [reviewOf({ uid: '' }), 400, 'request.uid'],
  ])('refuses %s with a Status', async (text, code, part) => {
    const reply = await post('/v1/admit', text);
    expect(reply).toMatchObject({ code, body: { kind: 'Status', status: 'Failure', code, reason: 'BadRequest' } });
    expect(reply.body.message).toContain(part);
  });

  it('looks nothing up for more images than a workload has, and says how many there are', async () => {
    let lookups = 0;
    facts = async () => {
      lookups += 1;
      return NO_FACTS;
    };
    const { body } = await post('/v1/admit', reviewOf(testRequest(podOf(300))));
    facts = async () => NO_FACTS;
    expect(body.response.allowed).toBe(false);
    expect(body.response.warnings).toEqual([
      'this names 300 different images, and the verdicts of the registry are asked for at most 256 of one object: only where the images come from was checked',
    ]);
    expect(lookups).toBe(0);
  });

  it('answers pods of very many containers with one sentence, and at once', async () => {
    const body = reviewOf(testRequest(podOf(10_000)));
    await post('/v1/admit', body);
    const started = performance.now();
    const { body: answer } = await post('/v1/admit', body);
    expect(performance.now() - started).toBeLessThan(500);
    expect(answer.response.status).toMatchObject({
      code: 403,
      message:
        '[denied by require-harbor-repo] this names 10000 images, of which none was judged: no more than 1000 are allowed in one object',
    });
  });

  it('leaves a bad request to the failure policy also when it has a uid', async () => {
    const reply = await post('/v1/admit', reviewOf({ uid: 'x', operation: 'EAT' }));
    expect(reply).toMatchObject({ code: 400, body: { kind: 'Status', reason: 'BadRequest' } });
  });

  it.each<[string, Partial<ConstraintSource>, number, RegExp]>([
    [
      'an error of ours',
      {
        rules: () => {
          throw new Error('a mistake');
        },
      },
      500,
      /^a mistake$/,
    ],
    ['our own deadline', { ensureNamespace: () => new Promise(() => undefined) }, 504, /^no decision within 200 ms$/],
    [
      'a namespace whose labels are not known',
      { rules: () => rulesOf([selecting]), ensureNamespace: async () => undefined },
      503,
      /^the constraint selecting selects by the labels of namespace "demo", which is not known/,
    ],
  ])('leaves %s to the failure policy, and says so', async (_what, part, code, why) => {
    broken = part;
    undecided.length = 0;
    const reply = await post('/v1/admit', reviewOf(testRequest(testPod('nginx'))));
    broken = {};
    expect(reply).toMatchObject({ code, body: { kind: 'Status', status: 'Failure', code } });
    expect(reply.body.message).toMatch(why);
    expect(undecided).toHaveLength(1);
    expect(undecided[0]).toMatch(why);
  });

  it('waits for a namespace that is newer than the watch', async () => {
    const labels: Record<string, Record<string, string>> = {};
    broken = {
      rules: () => rulesOf([selecting]),
      namespaceLabels: (name) => labels[name],
      ensureNamespace: async (name) => void (labels[name] = { owner: 'operator' }),
    };
    const { code, body } = await post('/v1/admit', reviewOf(testRequest(testPod('evil/x'))));
    broken = {};
    expect([code, body.response.allowed]).toEqual([200, true]);
  });

  it('answers a probe by name, and tells nobody of it', async () => {
    const before = decisions.length;
    const object = { kind: 'PodTemplate', metadata: { labels: { 'breakwater/probe': '0123456789abcdef' } } };
    const { body } = await post('/v1/admit', reviewOf(testRequest(object, { dryRun: true })));
    expect(body.response.status).toMatchObject({ message: 'breakwater probe 0123456789abcdef, answered by guard-0' });
    expect(decisions).toHaveLength(before);
  });

  it('looks at constraints that are applied', async () => {
    const ask = async (repos: unknown, more = {}) =>
      (await post('/v1/constraints', reviewOf(testRequest(allowedRepos(repos), more)))).body.response;
    expect(await ask(['a.io/'])).toMatchObject({ allowed: true });
    expect(await ask('a.io/')).toMatchObject({
      allowed: false,
      status: { code: 403, message: expect.stringContaining('repos') },
    });
    expect(await ask('a.io/', { operation: 'DELETE' })).toMatchObject({ allowed: true });
  });

  it('takes 7 MB, keys called __proto__, and no more than its bound', async () => {
    const big = testRequest({ ...testPod('nginx'), note: 'x'.repeat(7 * 1024 * 1024) });
    expect((await post('/v1/admit', reviewOf(big))).code).toBe(200);
    const odd = reviewOf(testRequest(testPod('nginx'))).replace(
      '"name":"p"',
      '"name":"p","annotations":{"__proto__":"x"}',
    );
    expect((await post('/v1/admit', odd)).body.response.allowed).toBe(true);
    const huge = await post('/v1/admit', reviewOf(testRequest({ note: 'x'.repeat(9 * 1024 * 1024) })));
    expect(huge).toMatchObject({ code: 413, body: { kind: 'Status', reason: 'RequestEntityTooLarge' } });
  });

  it('other paths and types get a Status too', async () => {
    expect((await post('/other', '{}')).body).toMatchObject({ kind: 'Status', code: 404 });
    expect((await post('/v1/admit', 'x', certificates.caBundle, 'text/plain')).body).toMatchObject({ code: 415 });
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'application/JSON'])(
    'answers alike whatever way %s takes',
    async (type) => {
      const ask = (path: string, body: string) => post(path, body, certificates.caBundle, type);
      const denied = reviewOf(testRequest(testPod('evil/x')));
      expect((await ask('/v1/admit?timeout=3s', denied)).body.response).toMatchObject({ uid: 'u1', allowed: false });
      expect(await ask('/v1/admit', '{')).toMatchObject({ code: 400, body: { kind: 'Status', reason: 'BadRequest' } });
      expect(await ask('/v1/admit', '')).toMatchObject({ code: 400, body: { kind: 'Status', reason: 'BadRequest' } });
      expect((await ask('/v1/admit/', denied)).code).toBe(404);
    },
  );

  it('changes its certificate while it runs', async () => {
    const other = await openCertificates({ folder: join(folder, 'other'), hosts: ['127.0.0.1'], clock: systemClock });
    await expect(post('/v1/admit', '{}', other.caBundle)).rejects.toThrow(/certificate|issuer/i);
    server.replaceCertificate(other.tls());
    expect((await post('/v1/admit', '{}', other.caBundle)).code).toBe(400);
    server.replaceCertificate(certificates.tls());
    expect((await post('/v1/admit', '{}')).code).toBe(400);
  });

  it.each<[string, Partial<AdmissionRequest>, boolean]>([
    ['shop', {}, false],
    ['kube-system', {}, true],
    ['platform-ingress', {}, true],
    ['dns-infra', {}, true],
    ['infra', {}, false],
    ['shop', { operation: 'UPDATE', oldObject: { metadata: { labels: { team: 'a' } } } }, false],
    ['shop', { oldObject: { metadata: { labels: { 'admission.gatekeeper.sh/ignore': 'x' } } } }, true],
    ['shop', { operation: 'DELETE' }, true],
  ])('the ignore label on namespace %s with %j: %s', async (name, more, allowed) => {
    const object = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'admission.gatekeeper.sh/ignore': 'x' } },
    };
    const { body } = await post('/v1/admitlabel', reviewOf(testRequest(object, more)));
    expect(body.response.allowed).toBe(allowed);
    if (!allowed) {
      expect(body.response.status).toEqual({
        code: 403,
        reason: 'Forbidden',
        message: 'Only exempt namespace can have the admission.gatekeeper.sh/ignore label',
      });
    }
  });

  it('any bytes get an answer in a known form', async () => {
    for (const text of [
      '\0',
      '[]',
      '"x"',
      '1e999',
      '{"request":{"uid":{}}}',
      '{"request":{"uid":"a","object":{"metadata":null}}}',
    ]) {
      const { code, body } = await post('/v1/admit', text);
      expect([200, 400]).toContain(code);
      expect(['Status', 'AdmissionReview']).toContain(body.kind);
    }
  });
});

it('a static source knows no namespaces and has no problem', () => {
  const source = staticConstraintSource({
    name: 'n',
    enforcementAction: 'warn',
    style: 'gatekeeper',
    repos: () => ['a.io'],
  });
  expect(source.namespaceLabels('x')).toBeUndefined();
  expect(source.problem()).toBeUndefined();
  const [constraint] = source.rules()?.constraints ?? [];
  expect(constraint).toMatchObject({ name: 'n', options: { style: 'gatekeeper' }, enforcementAction: 'warn' });
  expect(source.rules()?.constraints[0]).toBe(constraint);
});

describe('a webhook server of its own', () => {
  it('judges the source alone when verdicts come late, before its deadline', async () => {
    const slow = createWebhookServer({
      source: staticConstraintSource({ name: 'n', enforcementAction: 'deny', repos: () => ['a.io'] }),
      facts: { factsAbout: () => new Promise<ImageFacts>(() => undefined) },
      logger: silentLogger,
      tls: certificates.tls(),
      exemptNamespaces: [],
    });
    const before = port;
    port = await slow.listen({ host: '127.0.0.1', port: 0 });
    const { body } = await post('/v1/admit', reviewOf(testRequest(testPod('nginx', 'evil/x'))));
    port = before;
    await slow.close();
    expect(body.response).toMatchObject({ allowed: false, status: { code: 403 } });
    expect(body.response.warnings?.[0]).toMatch(/^the verdicts of the registry could not be read in time/);
  });

  it('answers nobody but callers with a certificate of the right authority and name, also after its own is changed', async () => {
    const [ours, theirs] = [await issueAuthority(Date.now(), 1), await issueAuthority(Date.now(), 1)];
    const closed = createWebhookServer({
      source: staticConstraintSource({ name: 'n', enforcementAction: 'deny', repos: () => ['docker.io'] }),
      facts: { factsAbout: async () => NO_FACTS },
      logger: silentLogger,
      tls: certificates.tls(),
      exemptNamespaces: [],
      clients: { authorities: ours.cert, names: ['kube-apiserver', 'front'] },
    });
    const at = await closed.listen({ host: '127.0.0.1', port: 0 });
    const ask = (own: { cert?: string; key?: string }) =>
      new Promise<number | undefined>((resolve, reject) => {
        const agent = new Agent({ ca: certificates.caBundle, ...own });
        const options = { host: '127.0.0.1', port: at, path: '/v1/admit', method: 'POST', agent };
        const headers = { 'content-type': 'application/json' };
        const sent = request({ ...options, headers }, (reply) => resolve(reply.resume().statusCode));
        sent.on('error', reject);
        sent.end(reviewOf(testRequest(testPod('nginx'))));
      });
    const caller = async (authority: KeyedCertificate, name: string) => clientOf(authority, name);
    try {
      for (const name of ['kube-apiserver', 'front']) expect(await ask(await caller(ours, name))).toBe(200);
      await expect(ask({})).rejects.toThrow();
      await expect(ask(await caller(theirs, 'kube-apiserver'))).rejects.toThrow();
      await expect(ask(await caller(ours, 'kube-apiserver.evil'))).rejects.toThrow();
      closed.replaceCertificate(certificates.tls());
      expect(await ask(await caller(ours, 'front'))).toBe(200);
      await expect(ask({})).rejects.toThrow();
      await expect(ask(await caller(ours, 'other'))).rejects.toThrow();
    } finally {
      await closed.close();
    }
  });

  it('refuses a file without authorities before it serves', async () => {
    await expect(readAuthorities(join(folder, 'missing.pem'))).rejects.toThrow('BREAKWATER_GUARD_CLIENT_CA');
    await writeFile(join(folder, 'empty.pem'), 'nothing');
    await expect(readAuthorities(join(folder, 'empty.pem'))).rejects.toThrow('holds no authorities');
    await writeFile(join(folder, 'ca.pem'), certificates.caBundle);
    expect(await readAuthorities(join(folder, 'ca.pem'))).toBe(certificates.caBundle);
  });

  it('lets go of bodies that stop coming, and answers others meanwhile', { timeout: 30_000 }, async () => {
    const halves = await Promise.all(
      Array.from(
        { length: 10 },
        () =>
          new Promise<{ sent: ClientRequest; gone: Promise<number> }>((resolve) => {
            const sent = request({
              host: '127.0.0.1',
              port,
              path: '/v1/admit',
              method: 'POST',
              agent: false,
              ca: certificates.caBundle,
              headers: { 'content-type': 'application/json', 'content-length': 8_000_000 },
            });
            const begun = performance.now();
            const gone = new Promise<number>((over) => {
              sent.on('error', () => over(performance.now() - begun));
              sent.on('response', (reply) => reply.resume().on('close', () => over(performance.now() - begun)));
            });
            sent.write(Buffer.alloc(7_900_000, 32), () => resolve({ sent, gone }));
            void gone.then(() => resolve({ sent, gone }));
          }),
      ),
    );
    const { code } = await post('/v1/admit', reviewOf(testRequest(testPod('nginx'))));
    expect(code).toBe(200);
    const lasted = await Promise.all(halves.map(({ gone }) => gone));
    // Not all of them fit into what is held at once; the others are given up when nothing comes any more.
    expect(lasted.filter((ms) => ms < 4000).length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...lasted)).toBeLessThan(10_000);
    for (const { sent } of halves) sent.destroy();
  });

  it('sends callers away while it drains, one answer each, and closes', async () => {
    const draining = createWebhookServer({
      source: staticConstraintSource({ name: 'n', enforcementAction: 'deny', repos: () => ['docker.io'] }),
      facts: { factsAbout: async () => NO_FACTS },
      logger: silentLogger,
      tls: certificates.tls(),
      exemptNamespaces: [],
    });
    const at = await draining.listen({ host: '127.0.0.1', port: 0 });
    const agent = new Agent({ ca: certificates.caBundle, keepAlive: true, maxSockets: 1 });
    const ask = () =>
      new Promise<{ connection: string | undefined; reused: boolean }>((resolve, reject) => {
        const options = { host: '127.0.0.1', port: at, path: '/v1/admit', method: 'POST', agent };
        const sent = request({ ...options, headers: { 'content-type': 'application/json' } }, (reply) => {
          const { connection } = reply.headers;
          reply.resume().on('end', () => resolve({ connection, reused: sent.reusedSocket }));
        });
        sent.on('error', reject);
        sent.end(reviewOf(testRequest(testPod('nginx'))));
      });
    await ask();
    expect(await ask()).toEqual({ connection: 'keep-alive', reused: true });
    draining.drain();
    expect(await ask()).toEqual({ connection: 'close', reused: true });
    expect(await ask()).toEqual({ connection: 'close', reused: false });
    await draining.close();
    await expect(ask()).rejects.toThrow(/ECONNREFUSED/);
    agent.destroy();
  });
});

/** A certificate for a caller, as an API server is given one. */
async function clientOf(authority: KeyedCertificate, name: string): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const pkcs8 = PemConverter.decodeFirst(authority.key);
  const certificate = await X509CertificateGenerator.create(
    {
      subject: `CN=${name}`,
      issuer: new X509Certificate(authority.cert).subject,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 3_600_000),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
    },
    webcrypto,
  );
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { cert: certificate.toString('pem'), key };
}
