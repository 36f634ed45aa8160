import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImageFacts, NO_FACTS } from '../constraints/image-facts.ts';
import { testPod } from '../constraints/testing.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { type Certificates, openCertificates } from './certificates.ts';
import { type ConstraintSource, staticConstraintSource } from './constraint-source.ts';
import type { AdmissionRequest } from './review.ts';
import { createWebhookServer, type WebhookServer } from './server.ts';
import { testRequest } from './testing.ts';

let folder: string;
let certificates: Certificates;
let server: WebhookServer;
let port: number;
let repos = ['harbor.cksc.a1ck.io'];
let ready = true;
let facts: () => Promise<ImageFacts> = async () => NO_FACTS;
const decisions: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-webhook-'));
  certificates = await openCertificates({ folder, hosts: ['localhost', '127.0.0.1'], clock: systemClock });
  const fixed = staticConstraintSource({ name: 'require-harbor-repo', enforcementAction: 'deny', repos: () => repos });
  const source: ConstraintSource = { ...fixed, rules: () => (ready ? fixed.rules() : undefined) };
  server = createWebhookServer({
    source,
    facts: { factsAbout: () => facts() },
    logger: silentLogger,
    tls: certificates.tls(),
    exemptNamespaces: ['kube-system', 'platform-*'],
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

  it.each([
    ['fail', () => Promise.reject(new Error('database away'))],
    ['come late', () => new Promise<ImageFacts>(() => undefined)],
  ])('judges the source alone when verdicts %s, and says so', async (_how, broken) => {
    facts = broken;
    const { body } = await post('/v1/admit', reviewOf(testRequest(testPod('nginx', 'evil/x'))));
    facts = async () => NO_FACTS;
    expect(body.response).toMatchObject({ allowed: false, status: { code: 403 } });
    expect(body.response.warnings?.[0]).toMatch(/^the verdicts of the registry could not be read in time/);
  });

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

  it('looks nothing up for more images than a workload has, and says so', async () => {
    let lookups = 0;
    facts = async () => {
      lookups += 1;
      return NO_FACTS;
    };
    const containers = Array.from({ length: 40_000 }, (_, at) => ({
      name: `c${at}`,
      image: `evil.example.com/x:${at}`,
    }));
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'many' }, spec: { containers } };
    const started = performance.now();
    const { body } = await post('/v1/admit', reviewOf(testRequest(object)));
    expect(body.response.allowed).toBe(false);
    expect(body.response.warnings?.join(' ')).toMatch(/verdict/);
    expect(lookups).toBe(0);
    expect(performance.now() - started).toBeLessThan(5000);
    facts = async () => NO_FACTS;
  });

  it('refuses a bad request that has a uid with a review', async () => {
    const reply = await post('/v1/admit', reviewOf({ uid: 'x', operation: 'EAT' }));
    expect(reply).toMatchObject({
      code: 200,
      body: {
        kind: 'AdmissionReview',
        response: { uid: 'x', allowed: false, status: { code: 400, reason: 'BadRequest' } },
      },
    });
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
