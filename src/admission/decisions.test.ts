import { beforeEach, describe, expect, it } from 'vitest';
import { type Constraint, parseConstraint } from '../constraints/constraint.ts';
import { decidingContent } from '../constraints/deciding-content.ts';
import type { EvaluateDeps } from '../constraints/evaluate.ts';
import { parseExpansion } from '../constraints/expansion.ts';
import { NO_FACTS } from '../constraints/image-facts.ts';
import type { LiveWorkload } from '../constraints/live-workloads.ts';
import { rulesOf } from '../constraints/rules.ts';
import { testConstraint, testPod } from '../constraints/testing.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { fixedClock } from '../platform/clock.ts';
import { type AdmissionHistory, createAdmissionHistory } from './admission-history.ts';
import type { AdmissionRequest } from './parse-review.ts';
import type { AdmissionFinding } from './recorder.ts';
import { type AdmissionResponse, review } from './review.ts';
import { createReviewMemory, type ReviewMemory, type ReviewSettings } from './review-memory.ts';
import { testChild, testLive, testRequest, testWorkload } from './testing.ts';

const DAY = 86_400_000;
const RULED = Date.parse('2026-11-01T00:00:00Z');
const NOW = RULED + 10 * DAY;
const EVIL = 'evil.example.com/app:1';
const HARBOR = 'harbor.cksc.a1ck.io/app:1';
const OTHER = 'evil.example.com/other:1';
const SENTENCE = `container "c0" has an invalid image repo "${EVIL}", allowed repos are ["harbor.cksc.a1ck.io"]`;
const D1 = digestOf('1');
const D2 = digestOf('2');
const RS_CONTROLLER = controller('replicaset');
const DEPLOYMENT_CONTROLLER = controller('deployment');
const ANN = { username: 'ann', groups: ['dev', 'system:authenticated'] };
const BOB = { username: 'bob', groups: ['oncall'] };

const clock = fixedClock(NOW);
const deployment = testWorkload('Deployment', 'web', [EVIL]);
const set = testWorkload('ReplicaSet', 'web-1', [EVIL], deployment);
let live: LiveWorkload[];
let history: AdmissionHistory;
let findings: AdmissionFinding[];
let digests: Map<string, Digest>;
let memory: ReviewMemory;

beforeEach(() => {
  clock.set(NOW);
  live = [deployment, set];
  history = createAdmissionHistory();
  findings = [];
  digests = new Map();
  memory = memoryOf({ controllers: ['system:serviceaccount:argo:rollouts'], breakGlassGroups: ['oncall'] });
});

function memoryOf(settings: ReviewSettings): ReviewMemory {
  return createReviewMemory({
    clock,
    history,
    live: testLive(live),
    recorder: { record: (finding) => void findings.push(finding) },
    settings,
  });
}

function ruled(annotations: Record<string, string> = {}, action = 'deny', more: Partial<Constraint> = {}): Constraint {
  return { ...testConstraint({ enforcementAction: action }, annotations), since: RULED, ...more };
}

function ask(request: AdmissionRequest, constraint = ruled(), facts: Partial<EvaluateDeps> = {}): AdmissionResponse {
  const deps = {
    verdicts: { verdictOf: () => undefined },
    mirrors: { addressOf: () => undefined },
    digests: { digestOf: (reference: { original: string }) => digests.get(reference.original) },
    namespaceLabels: () => ({}),
    memory,
    ...facts,
  };
  return review(deps, rulesOf([constraint]), request);
}

function podOf(owner: LiveWorkload, ...images: string[]): AdmissionRequest {
  return testRequest(testChild(owner, testPod(...images)), { userInfo: RS_CONTROLLER });
}

function workload(
  kind: string,
  name: string,
  image: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const template = { spec: { containers: [{ name: 'c0', image }] } };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'demo', uid: `uid-${name}`, ...more },
    spec: { template },
  };
}

function ran(ownerUid = deployment.uid, image = EVIL, digest?: Digest, at = RULED - DAY): void {
  history.runs.record({ ownerUid, image, digest, at });
}

function controller(name: string): { username: string; groups: string[] } {
  return { username: `system:serviceaccount:kube-system:${name}-controller`, groups: [] };
}

function node(name: string, groups = ['system:nodes']): { username: string; groups: string[] } {
  return { username: `system:node:${name}`, groups };
}

function blocked(since?: number): Partial<EvaluateDeps> {
  return {
    verdicts: { verdictOf: () => ({ kind: 'block', sentence: 'CVE-1', ...(since === undefined ? {} : { since }) }) },
  };
}

function rollout(image: string): Record<string, unknown> {
  return { ...workload('Rollout', 'r', image), apiVersion: 'argoproj.io/v1' };
}

function evilImages(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `evil.example.com/x:${at}`);
}

function libraryLine(image: string, at: number): string {
  return `[require-harbor-repo] container <c${at}> has an invalid image repo <${image}>, allowed repos are ["harbor.cksc.a1ck.io"]`;
}

describe('restart is not first deploy', () => {
  it('what ran before the rule starts again with a warning that says what, since when, until when and for whom', () => {
    ran();
    const { allowed, warnings, status } = ask(podOf(set, EVIL));
    expect({ allowed, warnings, status }).toEqual({
      allowed: true,
      warnings: [
        '[require-harbor-repo] denied since 2026-11-01T00:00:00Z, passes until 2026-12-01T00:00:00Z as a restart of ' +
          `Deployment demo/web, taken for the same image by its text: ${SENTENCE}`,
      ],
      status: { code: 299 },
    });
    expect(findings).toMatchObject([
      { action: 'restart-grace', owner: { kind: 'Deployment', name: 'web' }, image: EVIL },
    ]);
  });

  describe('only what made the image denied is the rule', () => {
    const T = RULED;
    /** The constraint as it was read at several moments, the last one in force. */
    function ruledBy(...versions: [at: number, constraint: Record<string, unknown> | undefined][]): Constraint {
      for (const [at, object] of versions) {
        if (object === undefined) history.rules.gone('K8sAllowedRepos', 'require-harbor-repo', at);
        else {
          const state = { content: decidingContent(object), since: at, now: at };
          history.rules.stands({ kind: 'K8sAllowedRepos', name: 'require-harbor-repo', uid: 'r' }, state);
        }
      }
      return parseConstraint({ kind: 'K8sAllowedRepos', ...versions.at(-1)?.[1] });
    }
    function stored(spec: Record<string, unknown> = {}, annotations: Record<string, string> = {}) {
      return {
        metadata: { name: 'require-harbor-repo', annotations },
        spec: { enforcementAction: 'deny', parameters: { repos: ['harbor.cksc.a1ck.io'] }, ...spec },
      };
    }
    const slipped = () => ran(deployment.uid, EVIL, undefined, T + DAY);

    it.each<[string, () => Constraint]>([
      ['an annotation', () => ruledBy([T, stored()], [T + 2 * DAY, stored({}, { note: 'x' })])],
      [
        'a list that allows more',
        () => ruledBy([T, stored()], [T + 2 * DAY, stored({ parameters: { repos: ['harbor.cksc.a1ck.io', 'x.io'] } })]),
      ],
      ['another namespace', () => ruledBy([T, stored()], [T + 2 * DAY, stored({ match: { namespaces: ['demo'] } })])],
      ['a moment of absence', () => ruledBy([T, stored()], [T + 2 * DAY, undefined], [T + 2 * DAY + 5000, stored()])],
    ])('%s denies nothing new: what slipped in before it stays denied', (_, rule) => {
      slipped();
      expect(ask(podOf(set, EVIL), rule()).allowed).toBe(false);
    });

    it.each<[string, () => Constraint]>([
      ['warn to deny', () => ruledBy([T, stored({ enforcementAction: 'warn' })], [T + 2 * DAY, stored()])],
      [
        'a registry that is trusted no more',
        () => ruledBy([T, stored({ parameters: { repos: ['evil.example.com'] } })], [T + 2 * DAY, stored()]),
      ],
      [
        'a namespace that was left out',
        () => ruledBy([T, stored({ match: { excludedNamespaces: ['demo'] } })], [T + 2 * DAY, stored()]),
      ],
      ['a constraint that was away', () => ruledBy([T, stored()], [T + DAY / 2, undefined], [T + 2 * DAY, stored()])],
      [
        'stricter and then edited twice',
        () =>
          ruledBy(
            [T, stored({ enforcementAction: 'warn' })],
            [T + 2 * DAY, stored()],
            [T + 3 * DAY, stored({ match: { name: '*' } })],
          ),
      ],
    ])('%s is a new rule: what ran before goes on for 30 days from then', (_, rule) => {
      slipped();
      const { allowed, warnings } = ask(podOf(set, EVIL), rule());
      expect(allowed).toBe(true);
      expect(warnings?.[0]).toContain('denied since 2026-11-03T00:00:00Z, passes until 2026-12-03T00:00:00Z');
    });

    it('what came in while no guard answered and was denied then is no reason to pass, whatever the rule said later', () => {
      slipped();
      const constraint = ruledBy(
        [T, stored()],
        [T + 2 * DAY, stored({ enforcementAction: 'warn' })],
        [T + 4 * DAY, stored()],
      );
      expect(ask(podOf(set, EVIL), constraint).allowed).toBe(true);
      memory = { ...memory, cameInUnseen: (at) => at > T && at < T + 2 * DAY };
      expect(ask(podOf(set, EVIL), constraint).allowed).toBe(false);
      memory = { ...memory, cameInUnseen: (at) => at > T + 2 * DAY };
      expect(ask(podOf(set, EVIL), constraint).allowed).toBe(true);
    });

    it('a blocked image that only warned until the constraint began to deny ran before the rule that denies it', () => {
      ran(deployment.uid, HARBOR, undefined, T + DAY);
      const owner = testWorkload('Deployment', 'web', [HARBOR]);
      live.splice(0, 2, owner);
      const constraint = ruledBy([T, stored({ enforcementAction: 'warn' })], [T + 2 * DAY, stored()]);
      expect(ask(podOf(owner, HARBOR), constraint, blocked(T - DAY)).allowed).toBe(true);
      expect(ask(podOf(owner, HARBOR), ruledBy([T + 3 * DAY, stored({ match: {} })]), blocked(T - DAY)).allowed).toBe(
        true,
      );
    });

    it('a verdict that came after a change does not count for the time before it', () => {
      ran(deployment.uid, HARBOR, undefined, T + DAY);
      const owner = testWorkload('Deployment', 'web', [HARBOR]);
      live.splice(0, 2, owner);
      // Trusted and denied from the start, blocked since day 2, not trusted since day 4.
      const constraint = ruledBy([T, stored()], [T + 4 * DAY, stored({ parameters: { repos: ['x.io'] } })]);
      expect(ask(podOf(owner, HARBOR), constraint, blocked(T + 2 * DAY)).allowed).toBe(true);
      expect(ask(podOf(owner, HARBOR), constraint, blocked(T - DAY)).allowed).toBe(false);
    });
  });

  it.each<[string, () => AdmissionRequest]>([
    ['a first deploy', () => podOf(set, EVIL)],
    [
      'an image that ran since after the rule',
      () => {
        ran(deployment.uid, EVIL, undefined, RULED);
        return podOf(set, EVIL);
      },
    ],
    [
      "another owner's image",
      () => {
        ran('uid-other');
        return podOf(set, EVIL);
      },
    ],
    [
      'an image that is not in the template of the owner',
      () => {
        ran(deployment.uid, OTHER);
        return podOf(set, EVIL, OTHER);
      },
    ],
    [
      'a person who writes an ownerReference',
      () => {
        ran();
        return { ...podOf(set, EVIL), userInfo: ANN };
      },
    ],
    [
      'a controller of the same name elsewhere',
      () => {
        ran();
        return {
          ...podOf(set, EVIL),
          userInfo: { username: 'system:serviceaccount:demo:replicaset-controller', groups: [] },
        };
      },
    ],
    [
      'an owner that does not live',
      () => {
        ran();
        live.splice(0);
        return podOf(set, EVIL);
      },
    ],
    [
      'a reference of another kind than the owner',
      () => {
        ran();
        return podOf({ ...set, kind: 'Deployment' }, EVIL);
      },
    ],
    [
      'a reference of another group',
      () => {
        ran();
        return podOf({ ...set, apiVersion: 'evil.io/v1' }, EVIL);
      },
    ],
    [
      'a reference of another name',
      () => {
        ran();
        return podOf({ ...set, name: 'web-2' }, EVIL);
      },
    ],
    [
      'an owner in another namespace',
      () => {
        ran();
        return { ...podOf(set, EVIL), namespace: 'shop' };
      },
    ],
    [
      'an owner that does not control it',
      () => {
        ran();
        const request = podOf(set, EVIL);
        return {
          ...request,
          object: JSON.parse(JSON.stringify(request.object).replace('"controller":true', '"controller":false')),
        };
      },
    ],
    [
      'two owners that both claim to control it',
      () => {
        ran();
        const pod = testPod(EVIL);
        const references = [set, set].map(({ apiVersion, kind, name, uid }) => ({
          apiVersion,
          kind,
          name,
          uid,
          controller: true,
        }));
        return testRequest({ ...pod, metadata: { ownerReferences: references } }, { userInfo: RS_CONTROLLER });
      },
    ],
    [
      'a moved tag',
      () => {
        ran(deployment.uid, EVIL, D1);
        digests.set(EVIL, D2);
        return podOf(set, EVIL);
      },
    ],
    [
      'a tag whose digest is known now, of a run whose digest is not',
      () => {
        ran();
        digests.set(EVIL, D1);
        return podOf(set, EVIL);
      },
    ],
  ])('not for %s', (_what, request) => {
    const response = ask(request());
    expect(response.allowed).toBe(false);
    expect(response.warnings ?? []).toEqual([]);
  });

  it('the same tag with the same digest is the same image, also when it is pinned on the way', () => {
    ran(deployment.uid, EVIL, D1);
    digests.set(EVIL, D1);
    expect(ask(podOf(set, EVIL)).warnings?.[0]).not.toContain('by its text');
    expect(ask(podOf(set, `${EVIL}@${D1}`)).allowed).toBe(true);
    expect(ask(podOf(set, `${EVIL}@${D2}`)).allowed).toBe(false);
    ran(deployment.uid, `${EVIL}@${D2}`);
    expect(ask(podOf(set, `${EVIL}@${D2}`)).allowed).toBe(true);
  });

  it.each([
    ['30d', 30 * DAY - 1, 30 * DAY],
    ['36h', 1.5 * DAY - 1, 1.5 * DAY],
  ])('ends %s after the rule', (grace, before, after) => {
    ran();
    const constraint = ruled({ 'breakwater/restart-grace': grace });
    clock.set(RULED + before);
    expect(ask(podOf(set, EVIL), constraint).allowed).toBe(true);
    clock.set(RULED + after);
    expect(ask(podOf(set, EVIL), constraint).allowed).toBe(false);
  });

  it('can be for ever, or not at all, and is not there under compat', () => {
    ran();
    clock.set(RULED + 5000 * DAY);
    const [forever] = ask(podOf(set, EVIL), ruled({ 'breakwater/restart-grace': 'forever' })).warnings ?? [];
    expect(forever).toContain('since 2026-11-01T00:00:00Z, passes as a restart of Deployment demo/web');
    clock.set(NOW);
    expect(ask(podOf(set, EVIL), ruled({ 'breakwater/restart-grace': 'none' })).allowed).toBe(false);
    expect(ask(podOf(set, EVIL), ruled({ 'breakwater/compat': 'gatekeeper' })).allowed).toBe(false);
  });

  it('what was let in while the rule only warned starts again after it denies', () => {
    clock.set(RULED - DAY);
    const applied = testRequest(workload('Deployment', 'web', EVIL), { userInfo: ANN });
    expect(ask(applied, ruled({}, 'warn')).warnings).toEqual([`[require-harbor-repo] ${SENTENCE}`]);
    clock.set(NOW);
    expect(ask(podOf(set, EVIL)).allowed).toBe(true);
    expect(ask({ ...applied, object: workload('Deployment', 'web2', EVIL) }).allowed).toBe(false);
  });

  it('a denied apply, a dry run and a forged owner leave no history', () => {
    clock.set(RULED - DAY);
    const warns = ruled({}, 'warn');
    expect(ask(testRequest(workload('Deployment', 'web', EVIL), { userInfo: ANN, dryRun: true }), warns).allowed).toBe(
      true,
    );
    expect(ask(testRequest(workload('Deployment', 'web', EVIL), { userInfo: ANN })).allowed).toBe(false);
    expect(ask({ ...podOf(set, EVIL), userInfo: ANN }, warns).allowed).toBe(true);
    expect(history.runs.size).toBe(0);
    expect(findings.map(({ action }) => action)).toEqual(['denied', 'warned']);
  });

  it('goes through new ReplicaSets and Jobs to the pods the watch has not told of yet', () => {
    ran();
    const made = testChild(deployment, workload('ReplicaSet', 'web-2', EVIL));
    const rollout = testRequest(made, { userInfo: DEPLOYMENT_CONTROLLER });
    expect(ask(rollout).warnings?.[0]).toContain('as a restart of Deployment demo/web');
    const young = testWorkload('ReplicaSet', 'web-2', [EVIL], deployment);
    expect(ask(podOf(young, EVIL)).allowed).toBe(true);
    clock.advance(120_000);
    expect(ask(podOf(young, EVIL)).allowed).toBe(false);
    live.push(young);
    expect(ask(podOf(young, EVIL)).allowed).toBe(true);
  });

  it('a CronJob starts its Job, and the Job its pod', () => {
    const cron = testWorkload('CronJob', 'nightly', [EVIL]);
    live.push(cron);
    ran(cron.uid);
    const job = testChild(cron, { ...workload('Job', 'nightly-1', EVIL), apiVersion: 'batch/v1' });
    expect(ask(testRequest(job, { userInfo: controller('cronjob') })).allowed).toBe(true);
    const young = testWorkload('Job', 'nightly-1', [EVIL], cron);
    expect(ask({ ...podOf(young, EVIL), userInfo: controller('job') }).warnings?.[0]).toContain('CronJob demo/nightly');
  });

  it.each([
    'system:kube-controller-manager',
    'system:serviceaccount:kube-system:statefulset-controller',
    'system:serviceaccount:kube-system:daemon-set-controller',
    'system:serviceaccount:kube-system:replication-controller',
    'system:serviceaccount:argo:rollouts',
  ])('%s may ask for an owner', (username) => {
    ran();
    expect(ask({ ...podOf(set, EVIL), userInfo: { username, groups: [] } }).allowed).toBe(true);
  });

  it('a verdict that came later counts from when it came', () => {
    const image = 'harbor.cksc.a1ck.io/front/alpine:3.10';
    live.splice(0, 2, deployment, testWorkload('ReplicaSet', 'web-1', [image], deployment));
    history.runs.record({ ownerUid: deployment.uid, image, at: RULED + DAY });
    expect(ask(podOf(set, image), ruled(), blocked(RULED + 2 * DAY)).allowed).toBe(true);
    expect(ask(podOf(set, image), ruled(), blocked(RULED)).allowed).toBe(false);
    // Nobody knows since when: what ran at all is not stopped.
    expect(ask(podOf(set, image), ruled(), blocked()).warnings?.[0]).toContain('denied, passes as a restart of');
  });

  it('only what may pass passes: one image of two still denies, and only that one is named', () => {
    ran();
    const two = testWorkload('ReplicaSet', 'web-1', [EVIL, OTHER], deployment);
    live.splice(1, 1, two);
    const response = ask(podOf(two, EVIL, OTHER));
    expect(response.allowed).toBe(false);
    expect(response.status?.message).toContain(OTHER);
    expect(response.status?.message).not.toContain(EVIL);
    expect(response.warnings?.[0]).toContain(EVIL);
  });
});

describe('updates', () => {
  const leaving = { ...testPod(EVIL), metadata: { name: 'p', deletionTimestamp: '2026-01-01T00:00:00Z' } };
  const same = testRequest(testPod(EVIL), { operation: 'UPDATE', oldObject: testPod(EVIL) });
  const strict = ruled({ 'breakwater/updates': 'strict' });
  const compat = ruled({ 'breakwater/compat': 'gatekeeper' });

  it('that bring no new image warn at most, wherever the image stood', () => {
    expect(ask(same)).toMatchObject({ allowed: true, warnings: [`[require-harbor-repo] ${SENTENCE}`] });
    const moved = { ...testPod(), spec: { initContainers: [{ name: 'i', image: EVIL }], containers: [] } };
    expect(ask({ ...same, object: moved }).allowed).toBe(true);
    expect(ask({ ...same, object: testPod(EVIL, OTHER) }).allowed).toBe(false);
  });

  it('are denied as a creation would be where they are strict, and under compat', () => {
    expect(ask(same, strict).allowed).toBe(false);
    expect(ask(same, compat).status?.message).toBe(
      `[require-harbor-repo] container <c0> has an invalid image repo <${EVIL}>, allowed repos are ["harbor.cksc.a1ck.io"]`,
    );
  });

  it('of what is on its way out pass silently, but not under compat', () => {
    const going = { ...same, object: leaving, oldObject: testPod('harbor.cksc.a1ck.io/x') };
    expect(ask(going)).toEqual({ uid: 'u1', allowed: true });
    expect(ask(going, strict)).toEqual({ uid: 'u1', allowed: true });
    expect(ask(going, compat).allowed).toBe(false);
  });

  it('of ephemeral containers are judged: a new one is a new image', () => {
    const debugged = {
      ...testPod('harbor.cksc.a1ck.io/x'),
      spec: { ephemeralContainers: [{ name: 'd', image: EVIL }] },
    };
    const request = testRequest(debugged, {
      operation: 'UPDATE',
      oldObject: testPod('harbor.cksc.a1ck.io/x'),
      subResource: 'ephemeralcontainers',
    });
    expect(ask(request).status?.message).toContain('[denied by require-harbor-repo] ephemeralContainer "d"');
    expect(ask({ ...request, oldObject: debugged }).allowed).toBe(true);
    for (const subResource of ['status', 'binding', 'resize', 'scale', 'eviction', 'exec']) {
      expect(ask({ ...request, subResource })).toEqual({ uid: 'u1', allowed: true });
    }
  });

  it('of custom kinds know what the old object made', () => {
    const template = parseExpansion({
      metadata: { name: 'rollouts' },
      spec: {
        applyTo: [{ groups: ['argoproj.io'], versions: ['v1'], kinds: ['Rollout'] }],
        templateSource: 'spec.template',
        generatedGVK: { version: 'v1', kind: 'Pod' },
      },
    });
    const rules = { ...rulesOf([ruled()]), expansions: [template] };
    const facts = {
      verdicts: { verdictOf: () => undefined },
      mirrors: { addressOf: () => undefined },
      digests: { digestOf: () => undefined },
      namespaceLabels: () => ({}),
    };
    const update = (old: string) => testRequest(rollout(EVIL), { operation: 'UPDATE', oldObject: rollout(old) });
    expect(review(facts, rules, update(EVIL))).toMatchObject({ allowed: true, status: { code: 299 } });
    expect(review(facts, rules, update(OTHER)).allowed).toBe(false);
  });
});

describe('mirror pods', () => {
  const mirror = {
    ...testPod(EVIL),
    metadata: { name: 'etcd-n1', annotations: { 'kubernetes.io/config.mirror': 'abc' } },
    spec: { nodeName: 'n1', containers: [{ name: 'c0', image: EVIL }] },
  };

  it('of a node are recorded, never denied', () => {
    expect(ask(testRequest(mirror, { userInfo: node('n1') }))).toMatchObject({
      allowed: true,
      warnings: [`[require-harbor-repo] ${SENTENCE}`],
    });
    expect(findings).toMatchObject([{ action: 'mirror-pod', object: { name: 'etcd-n1' }, user: 'system:node:n1' }]);
  });

  it.each([
    ['an ordinary user', ANN],
    ['another node', node('n2')],
    ['a user with the name of a node but not of its group', node('n1', [])],
    ['nobody', undefined],
  ])('forged by %s are denied', (_who, userInfo) => {
    expect(ask(testRequest(mirror, userInfo ? { userInfo } : {})).allowed).toBe(false);
  });

  it('are denied under compat', () => {
    expect(
      ask(testRequest(mirror, { userInfo: node('n1') }), ruled({ 'breakwater/compat': 'gatekeeper' })).allowed,
    ).toBe(false);
  });
});

describe('break-glass', () => {
  const glass = { annotations: { 'breakwater/break-glass': 'OPS-7 payment\n is down' } };
  const broken = (user = BOB, image = EVIL) =>
    testRequest(workload('Deployment', 'pay', image, glass), { userInfo: user });
  const pay = testWorkload('Deployment', 'pay', [EVIL]);
  const paySet = testWorkload('ReplicaSet', 'pay-1', [EVIL], pay);

  it('lets in what a member of a listed group marks, with a warning and a record', () => {
    expect(ask(broken())).toMatchObject({
      allowed: true,
      warnings: [`[require-harbor-repo] let in by break-glass (bob: OPS-7 payment is down): ${SENTENCE}`],
      status: { code: 299 },
    });
    expect(findings).toMatchObject([
      {
        action: 'break-glass',
        message: `let in by break-glass (bob: OPS-7 payment is down): ${SENTENCE}`,
        user: 'bob',
      },
    ]);
  });

  it('is no use against a quarantine, nor is anything else', () => {
    const verdict = {
      kind: 'block' as const,
      sentence: 'quarantined (INC-1): bad',
      since: 0,
      quarantined: true as const,
    };
    const facts = { verdicts: { verdictOf: () => verdict } };
    const message = `container "c0" has a blocked image "${EVIL}": quarantined (INC-1): bad`;
    for (const constraint of [
      ruled(),
      ruled({}, 'warn'),
      ruled({}, 'dryrun'),
      ruled({ 'breakwater/compat': 'gatekeeper' }),
      ruled({ 'breakwater/updates': 'new-images', 'breakwater/restart-grace': 'forever' }),
    ]) {
      const response = ask(podOf(set, EVIL), constraint, facts);
      expect(response, constraint.enforcementAction).toMatchObject({ allowed: false });
      expect(response.status?.message).toContain(message);
      const pod = { ...testPod(EVIL), metadata: { name: 'p', ...glass } };
      expect(ask(testRequest(pod, { userInfo: BOB }), constraint, facts).allowed).toBe(false);
      // Gatekeeper's library looks at pods alone.
      const { compat } = constraint.options;
      expect(ask(broken(), constraint, facts).allowed).toBe(compat);
    }
    // What has it already may be changed: scaled to zero, or taken away.
    const object = workload('Deployment', 'pay', EVIL);
    const scaled = testRequest(
      { ...object, spec: { ...(object['spec'] as object), replicas: 0 } },
      { operation: 'UPDATE' },
    );
    expect(ask({ ...scaled, oldObject: object }, ruled({}, 'warn'), facts)).toMatchObject({
      allowed: true,
      warnings: [expect.stringContaining(message), expect.anything()],
    });
    const leaving = workload('Deployment', 'pay', EVIL, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(ask(testRequest(leaving, { operation: 'UPDATE' }), ruled(), facts).allowed).toBe(true);
  });

  it('is no use to anybody else, and says so', () => {
    const response = ask(broken(ANN));
    expect(response.status?.message).toBe(
      `[denied by require-harbor-repo] ${SENTENCE}\nbreakwater/break-glass is not honoured: ann is in no group that may`,
    );
    expect(response).toMatchObject({
      allowed: false,
      warnings: ['breakwater/break-glass is not honoured: ann is in no group that may'],
    });
    memory = memoryOf({ controllers: [], breakGlassGroups: [] });
    expect(ask(broken())).toMatchObject({
      allowed: false,
      warnings: ['breakwater/break-glass is not honoured: no group may break the glass here'],
    });
  });

  it('is not there under compat', () => {
    const pod = { ...testPod(EVIL), metadata: { name: 'p', ...glass } };
    expect(ask(testRequest(pod, { userInfo: BOB })).allowed).toBe(true);
    expect(ask(testRequest(pod, { userInfo: BOB }), ruled({ 'breakwater/compat': 'gatekeeper' })).allowed).toBe(false);
  });

  it('shows a ticket as visible text, in warning and record', () => {
    const marked = workload('Deployment', 'pay', EVIL, {
      annotations: { 'breakwater/break-glass': 'OPS-1 \u202ex\u2066\u0000\u001b[31m' },
    });
    const { warnings } = ask(testRequest(marked, { userInfo: BOB }));
    expect(warnings?.[0]).toContain(String.raw`(bob: OPS-1 \u202ex\u2066\u0000\u001b[31m)`);
    expect(findings[0]?.message).toContain(String.raw`(bob: OPS-1 \u202ex\u2066\u0000\u001b[31m)`);
  });

  it.each(['  ', '.', '- -', 'x1', '\u200b\u200b\u200b'])('wants a ticket: %j is none', (ticket) => {
    const silent = workload('Deployment', 'pay', EVIL, { annotations: { 'breakwater/break-glass': ticket } });
    expect(ask(testRequest(silent, { userInfo: BOB }))).toMatchObject({
      allowed: false,
      warnings: ['breakwater/break-glass is not honoured: write a ticket, like "OPS-123 payment is down"'],
    });
  });

  it('may stand on the template', () => {
    const object = workload('Deployment', 'pay', EVIL);
    const spec = { template: { metadata: glass, spec: { containers: [{ name: 'c0', image: EVIL }] } } };
    expect(ask(testRequest({ ...object, spec }, { userInfo: BOB })).allowed).toBe(true);
  });

  it('goes down from the owner to what its controllers make, for the images let in', () => {
    live.push(pay);
    expect(ask(broken()).allowed).toBe(true);
    const child = testChild(pay, workload('ReplicaSet', 'pay-1', EVIL, glass));
    expect(ask(testRequest(child, { userInfo: DEPLOYMENT_CONTROLLER })).warnings?.[0]).toContain(
      'let in by the break-glass of its owner (bob: OPS-7 payment is down)',
    );
    expect(ask(podOf(paySet, EVIL)).allowed).toBe(true);
    expect(ask(podOf(paySet, EVIL, OTHER)).allowed).toBe(false);
    expect(findings.map(({ action }) => action)).toEqual([
      'break-glass',
      'break-glass',
      'break-glass',
      'break-glass',
      'denied',
    ]);
  });

  it('does not go down to what somebody else says it owns, nor by the annotation alone', () => {
    live.push(pay, paySet);
    expect(ask(broken()).allowed).toBe(true);
    expect(ask({ ...podOf(paySet, EVIL), userInfo: ANN }).allowed).toBe(false);
    const copied = testChild(set, { ...testPod(EVIL), metadata: glass });
    expect(ask(testRequest(copied, { userInfo: RS_CONTROLLER })).allowed).toBe(false);
  });

  it('a dry run breaks nothing', () => {
    live.push(pay, paySet);
    expect(ask({ ...broken(), dryRun: true }).allowed).toBe(true);
    expect(findings).toEqual([]);
    expect(ask(podOf(paySet, EVIL)).allowed).toBe(false);
  });

  it('ends when the annotation is taken off the owner', () => {
    live.push(pay, paySet);
    expect(ask(broken()).allowed).toBe(true);
    expect(ask(podOf(paySet, EVIL)).allowed).toBe(true);
    const closed = testRequest(workload('Deployment', 'pay', EVIL), {
      operation: 'UPDATE',
      oldObject: workload('Deployment', 'pay', EVIL, glass),
      userInfo: ANN,
    });
    expect(ask(closed).allowed).toBe(true);
    expect(ask(podOf(paySet, EVIL)).allowed).toBe(false);
  });

  it('is kept with the history and known to whoever loads it', () => {
    expect(ask(broken()).allowed).toBe(true);
    live.push(pay, paySet);
    const saved: unknown = JSON.parse(JSON.stringify(history.save()));
    history = createAdmissionHistory();
    memory = memoryOf({ controllers: [], breakGlassGroups: [] });
    expect(ask(podOf(paySet, EVIL)).allowed).toBe(false);
    for (const bad of [undefined, null, 'x', { glass: [null, {}, { uid: 'a' }], runs: 5 }]) history.load(bad);
    history.load(saved);
    expect(ask(podOf(paySet, EVIL)).allowed).toBe(true);
  });
});

describe('words in numbers', () => {
  const trusted = 'harbor.cksc.a1ck.io';

  it('a denial of up to 50 images names each, more are counted', () => {
    const fifty = ask(testRequest(testPod(...evilImages(50)))).status?.message?.split('\n') ?? [];
    expect(fifty).toEqual(
      evilImages(50).map(
        (image, at) =>
          `[denied by require-harbor-repo] container "c${at}" has an invalid image repo "${image}", allowed repos are ["${trusted}"]`,
      ),
    );
    const more = ask(testRequest(testPod(...evilImages(53)))).status?.message?.split('\n') ?? [];
    expect(more.slice(0, 50)).toEqual(fifty);
    expect(more.slice(50)).toEqual(['and 3 more']);
  });

  it('under compat all lines are said, however many, in the order of their texts', () => {
    const images = evilImages(120);
    const lines = images.map(libraryLine).sort();
    const compat = { 'breakwater/compat': 'gatekeeper' };
    expect(ask(testRequest(testPod(...images)), ruled(compat)).status?.message).toBe(lines.join('\n'));
    expect(ask(testRequest(testPod(...images)), ruled(compat, 'warn')).warnings).toEqual(lines);
  });

  it('10,000 containers are answered', () => {
    const said = 'this names 10000 images, of which none was judged: no more than 1000 are allowed in one object';
    const pod = testRequest(testPod(...evilImages(10_000)));
    expect(ask(pod)).toMatchObject({ allowed: false, status: { message: `[denied by require-harbor-repo] ${said}` } });
    const { allowed, warnings } = ask(pod, ruled({}, 'warn'));
    expect([allowed, warnings]).toEqual([true, [`[require-harbor-repo] ${said}`]]);
    expect(ask(pod, ruled({}, 'dryrun'))).toEqual({ uid: 'u1', allowed: true });
    const compat = ruled({ 'breakwater/compat': 'gatekeeper' });
    expect(ask(pod, compat).status?.message).toBe(
      '[require-harbor-repo] this names 10000 images, of which none was judged: no more than 2500 are allowed in one object',
    );
    expect(ask(testRequest(testPod(...evilImages(2500))), compat).status?.message?.split('\n')).toHaveLength(2500);
  });

  it('1,000 containers are judged; what is not printed is counted', () => {
    const pod = testRequest(testPod(...evilImages(1000)));
    expect(ask(pod).status?.message?.endsWith('\nand 950 more')).toBe(true);
    expect(ask(pod, ruled({}, 'warn')).warnings?.at(-1)).toMatch(
      / and 9\d\d more: kubectl get k8sallowedrepos require-harbor-repo /,
    );
  });

  it.each([
    ['judged', 1000],
    ['too many', 1200],
  ])('an update of %s images is denied when it brings one that breaks the rule, and only then', (_how, many) => {
    const [last = '', ...old] = evilImages(many);
    const oldObject = { ...testPod(...old) };
    const update = (...images: string[]) => ask(testRequest(testPod(...images), { operation: 'UPDATE', oldObject }));
    expect(update(...old)).toMatchObject({ allowed: true });
    expect(update(...old, last)).toMatchObject({ allowed: false });
  });

  it('an update that brings a trusted image beside hundreds that break the rule passes', () => {
    const old = evilImages(500);
    const oldObject = testPod(...old);
    const object = testPod(...old, `${trusted}/x:1`);
    expect(ask(testRequest(object, { operation: 'UPDATE', oldObject })).allowed).toBe(true);
  });

  it('an object of a thousand images is judged under a hundred constraints within the deadline', () => {
    const constraints = Array.from({ length: 100 }, (_, at) =>
      testConstraint({ enforcementAction: 'deny' }, {}, `rule-${at}`),
    );
    const started = performance.now();
    const deps = { ...NO_FACTS, namespaceLabels: () => ({}), memory };
    expect(review(deps, rulesOf(constraints), testRequest(testPod(...evilImages(1000)))).allowed).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it.each([['deny'], ['warn']])('an image text of megabytes is cut in what is said (%s)', (action) => {
    const image = `evil.example.com/${'x'.repeat(2_500_000)}`;
    for (const annotations of [
      {},
      { 'breakwater/compat': 'gatekeeper' },
      { 'breakwater/message-style': 'welkin-current' },
    ]) {
      const said = JSON.stringify(ask(testRequest(testPod(image)), ruled(annotations, action)));
      expect(said).toContain('evil.example.com/xxx');
      expect(said).toContain('...');
      expect(said.length).toBeLessThan(5000);
    }
  });

  it('a review nobody waits for any more is not decided', () => {
    expect(() =>
      review(
        { ...NO_FACTS, namespaceLabels: () => ({}), outOfTime: () => true },
        rulesOf([ruled()]),
        testRequest(testPod(...evilImages(100))),
      ),
    ).toThrow('in time');
  });

  it('null lists and odd shapes are answered', () => {
    for (const spec of [
      null,
      { containers: null, initContainers: null, volumes: null },
      { containers: [null, 'x', 5, []] },
    ]) {
      expect(ask(testRequest({ ...testPod(), spec })).allowed).toBe(true);
    }
  });

  it.each([
    '%%',
    'a b',
    'Nginx',
    `${trusted}/x@sha256:1`,
    `${trusted}/x:`,
    `${trusted}//x`,
    `http://${trusted}/x`,
    `${trusted}/x\u0000`,
  ])('the unreadable image %j is never trusted', (image) => {
    expect(ask(testRequest(testPod(image))).allowed).toBe(false);
  });

  it('dryrun is silent and recorded; an exempt namespace is neither', () => {
    expect(ask(testRequest(testPod(EVIL)), ruled({}, 'dryrun'))).toEqual({ uid: 'u1', allowed: true });
    expect(findings.map(({ action }) => action)).toEqual(['dryrun']);
    const facts = {
      verdicts: { verdictOf: () => undefined },
      mirrors: { addressOf: () => undefined },
      digests: { digestOf: () => undefined },
      namespaceLabels: () => ({}),
      memory,
    };
    const rules = {
      ...rulesOf([ruled()]),
      exempt: (name: string, process: string) => name === 'demo' && process === 'webhook',
    };
    expect(review(facts, rules, testRequest(testPod(EVIL)))).toEqual({ uid: 'u1', allowed: true });
    expect(findings).toHaveLength(1);
  });
});
