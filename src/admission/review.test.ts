import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Constraint } from '../constraints/constraint.ts';
import type { EvaluateDeps } from '../constraints/evaluate.ts';
import { evaluate } from '../constraints/evaluate.ts';
import type { ImageVerdict } from '../constraints/image-facts.ts';
import { judgeImage } from '../constraints/judge-image.ts';
import { linePrefix } from '../constraints/messages.ts';
import { rulesOf } from '../constraints/rules.ts';
import { testConstraint, testPod } from '../constraints/testing.ts';
import { formatReference, tryParseReference } from '../oci/reference.ts';
import type { AdmissionRequest } from './parse-review.ts';
import { type AdmissionResponse, asReview, review as reviewUnder } from './review.ts';
import { testRequest } from './testing.ts';

function review(
  facts: EvaluateDeps,
  constraints: readonly Constraint[],
  request: AdmissionRequest,
  notes?: readonly string[],
): AdmissionResponse {
  return reviewUnder(facts, rulesOf(constraints), request, notes);
}

function deps(more: Partial<EvaluateDeps> = {}): EvaluateDeps {
  return {
    verdicts: { verdictOf: () => undefined },
    mirrors: { addressOf: () => undefined },
    digests: { digestOf: () => undefined },
    namespaceLabels: () => ({}),
    ...more,
  };
}

function verdict(
  kind: ImageVerdict['kind'],
  sentence = 'CVE-2019-14697 in musl 1.1.22-r2, fixed in 1.1.22-r3',
): EvaluateDeps {
  return deps({
    verdicts: { verdictOf: (one) => (one.repository === 'front/alpine' ? { kind, sentence } : undefined) },
  });
}

const DOCUMENTED = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'demo', namespace: 'demo' },
  spec: { containers: [{ name: 'welkin-user-demo', image: 'harbor.example.com/demo/welkin-user-demo:1.16.0' }] },
};
const SENTENCE =
  'container "welkin-user-demo" has an invalid image repo "harbor.example.com/demo/welkin-user-demo:1.16.0", allowed repos are ["harbor.cksc.a1ck.io"]';

describe('words', () => {
  it('denies in the documented words, character for character', () => {
    expect(review(deps(), [testConstraint({ enforcementAction: 'deny' })], testRequest(DOCUMENTED))).toEqual({
      uid: 'u1',
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: `[denied by require-harbor-repo] ${SENTENCE}` },
    });
  });

  it('warns with the bare name in front and lets the object pass', () => {
    expect(review(deps(), [testConstraint()], testRequest(DOCUMENTED))).toEqual({
      uid: 'u1',
      allowed: true,
      warnings: [`[require-harbor-repo] ${SENTENCE}`],
      status: { code: 299 },
    });
  });

  it('an absent action denies, dryrun says nothing', () => {
    const absent = testConstraint({ enforcementAction: undefined });
    expect(review(deps(), [absent], testRequest(DOCUMENTED)).allowed).toBe(false);
    expect(review(deps(), [testConstraint({ enforcementAction: 'dryrun' })], testRequest(DOCUMENTED))).toEqual({
      uid: 'u1',
      allowed: true,
    });
  });

  it.each([
    [
      'gatekeeper',
      '[require-harbor-repo] container <c0> has an invalid image repo <nginx>, allowed repos are ["a.io", "b.io/p"]',
    ],
    [
      'welkin-current',
      '[require-harbor-repo] The container named <c0> does not have an allowed image registry <nginx>, allowed registries are <["a.io", "b.io/p"]>. Elastisys Welkin® requires that all images come from trusted registries. Read more at https://elastisys.io/welkin/user-guide/safeguards/enforce-trusted-registries/',
    ],
    [
      'welkin-docs',
      '[denied by require-harbor-repo] container "c0" has an invalid image repo "nginx", allowed repos are ["a.io", "b.io/p"]',
    ],
  ])('style %s', (style, message) => {
    const constraint = testConstraint(
      { enforcementAction: 'deny', parameters: { repos: ['a.io', 'b.io/p'] } },
      { 'breakwater/message-style': style },
    );
    expect(review(deps(), [constraint], testRequest(testPod('nginx'))).status?.message).toBe(message);
  });

  it('names every kind of place in its own word', () => {
    const pod = {
      ...testPod('a'),
      spec: {
        containers: [{ name: 'c', image: 'a' }],
        initContainers: [{ name: 'i', image: 'b' }],
        ephemeralContainers: [{ name: 'e', image: 'd' }],
        volumes: [
          { name: 'empty', emptyDir: {} },
          { name: 'v', image: { reference: 'f:1' } },
        ],
      },
    };
    const lines = (style: string): string[] =>
      evaluate(
        deps(),
        rulesOf([testConstraint({}, { 'breakwater/message-style': style })]),
        'validation.gatekeeper.sh',
        {
          object: pod,
        },
      ).map(({ message }) => message.split(' has an ')[0]?.split(' does not')[0] ?? '');
    expect(lines('welkin-docs')).toEqual([
      'container "c"',
      'initContainer "i"',
      'ephemeralContainer "e"',
      'imageVolume "v"',
    ]);
    expect(lines('gatekeeper')).toEqual([
      'container <c>',
      'initContainer <i>',
      'ephemeralContainer <e>',
      'imageVolume <v>',
    ]);
    expect(lines('welkin-current')).toEqual([
      'The container named <c>',
      'The initContainer named <i>',
      'The ephemeral container named <e>',
      'The image volume named <v>',
    ]);
  });

  it('an empty list prints as [], a missing list checks nothing', () => {
    const empty = testConstraint({ parameters: { repos: [] } });
    expect(review(deps(), [empty], testRequest(testPod('nginx'))).warnings).toEqual([
      '[require-harbor-repo] container "c0" has an invalid image repo "nginx", allowed repos are []',
    ]);
    const missing = testConstraint({ parameters: {} });
    expect(review(deps(), [missing], testRequest(testPod('nginx')))).toEqual({ uid: 'u1', allowed: true });
    expect(missing.problems).toEqual(['spec.parameters.repos is missing: the constraint checks nothing']);
  });

  it('controls and quotes in foreign text cannot forge lines', () => {
    const image = 'evil\n[denied by x] "\u202e\u0000';
    const [warning] = review(deps(), [testConstraint()], testRequest(testPod(image))).warnings ?? [];
    expect(warning).toContain('invalid image repo "evil\\u000a[denied by x] \\"\\u202e\\u0000", allowed');
  });
});

describe('actions', () => {
  it('joins denials by newline and lets warnings of other constraints ride along', () => {
    const constraints = [
      testConstraint({ enforcementAction: 'deny' }, {}, 'one'),
      testConstraint({ enforcementAction: 'warn' }, {}, 'two'),
    ];
    const response = review(deps(), constraints, testRequest(testPod('a', 'b')));
    expect(response.status?.message?.split('\n').map((line) => line.slice(0, 28))).toEqual([
      '[denied by one] container "c',
      '[denied by one] container "c',
    ]);
    expect(response.warnings).toHaveLength(2);
    expect(response.warnings?.every((line) => line.startsWith('[two] '))).toBe(true);
  });

  it('scoped actions count at their point only', () => {
    const scoped = testConstraint({
      enforcementAction: 'scoped',
      scopedEnforcementActions: [
        { action: 'warn', enforcementPoints: [{ name: '*' }] },
        { action: 'deny', enforcementPoints: [{ name: 'audit.gatekeeper.sh' }] },
      ],
    });
    expect(scoped.actionAt('validation.gatekeeper.sh')).toBe('warn');
    expect(scoped.actionAt('audit.gatekeeper.sh')).toBe('deny');
    expect(testConstraint({ enforcementAction: 'scoped' }).actionAt('audit.gatekeeper.sh')).toBeUndefined();
  });

  it('an unknown action warns and says so', () => {
    const odd = testConstraint({ enforcementAction: 'denny' });
    expect(odd.actionAt('validation.gatekeeper.sh')).toBe('warn');
    expect(odd.problems).toEqual(['enforcement action "denny" is not known: it warns']);
  });

  it('an update that brings no new image only warns', () => {
    const deny = [testConstraint({ enforcementAction: 'deny' })];
    const update = { operation: 'UPDATE' as const, oldObject: testPod('nginx') };
    const same = review(deps(), deny, testRequest(testPod('nginx'), update));
    expect(same.allowed).toBe(true);
    expect(same.warnings?.[0]).toMatch(/^\[require-harbor-repo\] container "c0"/);
    expect(review(deps(), deny, testRequest(testPod('nginx', 'httpd'), update))).toMatchObject({ allowed: false });
    expect(review(deps(), deny, testRequest(testPod('nginx:2'), update)).allowed).toBe(false);
  });

  it('deletion, other operations and other kinds pass', () => {
    const deny = [testConstraint({ enforcementAction: 'deny' })];
    const leaving = { ...testPod('nginx'), metadata: { name: 'p', deletionTimestamp: '2026-01-01T00:00:00Z' } };
    const silent = { uid: 'u1', allowed: true };
    expect(review(deps(), deny, testRequest(leaving, { operation: 'UPDATE' }))).toEqual(silent);
    expect(review(deps(), deny, testRequest(testPod('nginx'), { operation: 'DELETE' }))).toEqual(silent);
    expect(review(deps(), deny, testRequest(testPod('nginx'), { operation: 'CONNECT' }))).toEqual(silent);
    expect(review(deps(), deny, testRequest(null))).toEqual(silent);
    expect(
      review(deps(), deny, testRequest({ apiVersion: 'v1', kind: 'Secret', spec: { containers: [{ image: 'x' }] } })),
    ).toEqual(silent);
  });
});

describe('trusted but blocked', () => {
  const pod = testPod('harbor.cksc.a1ck.io/front/alpine:3.10');
  const line =
    'container "c0" has a blocked image "harbor.cksc.a1ck.io/front/alpine:3.10": CVE-2019-14697 in musl 1.1.22-r2, fixed in 1.1.22-r3';

  it('is denied by a denying constraint, warned about by a warning one', () => {
    const denied = review(verdict('block'), [testConstraint({ enforcementAction: 'deny' })], testRequest(pod));
    expect(denied.status?.message).toBe(`[denied by require-harbor-repo] ${line}`);
    const warned = review(verdict('block'), [testConstraint()], testRequest(pod));
    expect(warned).toMatchObject({ allowed: true, warnings: [`[require-harbor-repo] ${line}`] });
  });

  it('a warn verdict never denies', () => {
    const response = review(verdict('warn'), [testConstraint({ enforcementAction: 'deny' })], testRequest(pod));
    expect(response.allowed).toBe(true);
    expect(response.warnings?.[0]).toContain('has an image with findings');
  });

  it('allow says nothing, and an untrusted image is looked up too: it may be under quarantine', () => {
    expect(review(verdict('allow'), [testConstraint()], testRequest(pod)).warnings).toBeUndefined();
    const asked: string[] = [];
    const spying = deps({ verdicts: { verdictOf: (one) => void asked.push(formatReference(one)) } });
    review(spying, [testConstraint()], testRequest(testPod('nginx', 'harbor.cksc.a1ck.io/x')));
    expect(asked).toEqual(['docker.io/library/nginx', 'harbor.cksc.a1ck.io/x']);
  });
});

it('names the mirrored address on a line of its own, so that the exact sentence stays whole', () => {
  const mirrored = deps({
    mirrors: {
      addressOf: (one) => (one.repository === 'library/nginx' ? 'harbor.cksc.a1ck.io/hub/library/nginx:1' : undefined),
    },
  });
  const hint = 'a copy of "nginx:1" is served as "harbor.cksc.a1ck.io/hub/library/nginx:1": use that address';
  const denied = review(mirrored, [testConstraint({ enforcementAction: 'deny' })], testRequest(testPod('nginx:1')));
  expect(denied.status?.message?.split('\n')).toEqual([
    '[denied by require-harbor-repo] container "c0" has an invalid image repo "nginx:1", allowed repos are ["harbor.cksc.a1ck.io"]',
    hint,
  ]);
  const warned = review(mirrored, [testConstraint()], testRequest(testPod('nginx:1')));
  expect(warned.warnings?.[1]).toBe(`[require-harbor-repo] ${hint}`);
  expect(warned.warnings).toHaveLength(2);
});

describe('modes of matching', () => {
  const evil = testRequest(testPod('harbor.cksc.a1ck.io.evil.com/x'));
  it('is boundary safe by default, raw prefix by annotation', () => {
    expect(review(deps(), [testConstraint()], evil).warnings).toHaveLength(1);
    expect(review(deps(), [testConstraint({}, { 'breakwater/matching': 'prefix' })], evil).warnings).toBeUndefined();
    expect(testConstraint({}, { 'breakwater/matching': 'regex' }).problems[0]).toContain('use reference or prefix');
  });
});

describe('warnings', () => {
  it('stay below what the API server would cut, and count the rest', () => {
    const pod = testPod(...Array.from({ length: 200 }, (_, index) => `docker.io/somebody/image-${index}:1`));
    const warnings = review(deps(), [testConstraint()], testRequest(pod)).warnings ?? [];
    expect(warnings.join('').length).toBeLessThan(4096);
    expect(warnings.at(-1)).toMatch(new RegExp(`^\\[require-harbor-repo\\] and ${200 - (warnings.length - 1)} more: `));
  });

  it('put the worst first', () => {
    const warnings = review(
      verdict('warn'),
      [testConstraint()],
      testRequest(testPod('harbor.cksc.a1ck.io/front/alpine', 'nginx')),
    ).warnings;
    expect(warnings?.[0]).toContain('invalid image repo "nginx"');
  });

  it('bound a long trusted set and long names', () => {
    const repos = Array.from({ length: 1000 }, (_, index) => `r${index}.example.com/project`);
    const constraint = testConstraint({ parameters: { repos }, enforcementAction: 'deny' });
    const message = review(deps(), [constraint], testRequest(testPod(`x/${'y'.repeat(9000)}`))).status?.message ?? '';
    expect(message).toMatch(/, and \d+ more\]$/);
    expect(message.length).toBeLessThan(3000);
  });
});

it.each(['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'] as const)('is answered in kind: %s', (version) => {
  expect(asReview({ uid: 'x', allowed: true }, version)).toEqual({
    apiVersion: version,
    kind: 'AdmissionReview',
    response: { uid: 'x', allowed: true },
  });
});

describe('laws', () => {
  const image = fc.oneof(
    fc.constantFrom(
      'nginx',
      'harbor.cksc.a1ck.io/front/alpine:1',
      'harbor.cksc.a1ck.io/x',
      'harbor.cksc.a1ck.io.evil/x',
      '%%',
    ),
    fc.string(),
  );

  it('webhook lines, audit lines and the decision about one image are the same', () => {
    fc.assert(
      fc.property(
        fc.array(image, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('deny', 'warn'),
        (images, action) => {
          const constraint = testConstraint({ enforcementAction: action });
          const own = verdict('block');
          const object = testPod(...images);
          const single = images.flatMap((one, index) => {
            const place = { place: 'container' as const, name: `c${index}`, image: one };
            const lines = judgeImage(own, constraint, place, tryParseReference(one));
            return one === '' ? [] : lines.map(({ message }) => message);
          });
          const audit = evaluate(own, rulesOf([constraint]), 'audit.gatekeeper.sh', { object }).map(
            ({ message }) => message,
          );
          const response = review(own, [constraint], testRequest(object));
          const prefix = linePrefix(constraint.options.style, constraint.name, action === 'deny');
          const hook = action === 'deny' ? (response.status?.message?.split('\n') ?? []) : (response.warnings ?? []);
          expect(audit).toEqual(single);
          expect(new Set(hook)).toEqual(new Set(audit.map((message) => `${prefix}${message}`)));
          expect(response.allowed).toBe(action === 'warn' || audit.length === 0);
        },
      ),
    );
  });

  it('any JSON at all is answered or refused', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('Pod', 'CronJob', 'Deployment'), (value, kind) => {
        const request = testRequest(
          { apiVersion: 'v1', kind, metadata: value, spec: value },
          { oldObject: { spec: value } },
        );
        expect(review(deps(), [testConstraint()], request).uid).toBe('u1');
      }),
      { numRuns: 500 },
    );
  });
});
