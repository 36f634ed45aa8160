import { setTimeout as delay } from 'node:timers/promises';
import { lintConstraint } from '../../src/constraints/lint/lint.ts';
import type { Asker } from '../gatekeeper-diff/ask.ts';
import type { LintedCase } from './constraints.ts';
import { type Score, unless } from './score.ts';

const EXPECTED = [
  'K8sAllowedRepos entry-bypass',
  'K8sAllowedRepos entry-empty',
  'K8sDisallowedRepos entry-bypass',
  'K8sImageDigests digest-malformed',
];
const SEEN_MS = 120_000;

/** Asks both about a pod with each witness that lint prints. */
export async function tryWitnesses(
  score: Score,
  cases: readonly LintedCase[],
  theirs: Asker,
  ours: Asker,
): Promise<void> {
  const kinds = new Map<string, number>();
  for (const { namespace, object } of cases) {
    for (const { rule, witness, path } of lintConstraint(object, { as: 'gatekeeper' })?.findings ?? []) {
      if (witness === undefined) continue;
      const what = `${object.kind} ${rule}`;
      kinds.set(what, (kinds.get(what) ?? 0) + 1);
      const about = `${object.kind} ${JSON.stringify(object.spec['parameters'])} ${path.join('.')}: witness ${witness}`;
      const body = podReview(namespace, witness);
      const [there, here] = await Promise.all([theirs.ask(body), ours.ask(body)]);
      score.verdict(`Gatekeeper admits: ${about}`, unless(there.http === 200 && there.allowed, JSON.stringify(there)));
      const denied = here.http === 200 && !here.allowed && here.code === 403;
      score.verdict(`the guard denies: ${about}`, unless(denied, JSON.stringify(here)));
    }
  }
  score.say(`witnesses: ${[...kinds].map(([kind, many]) => `${many} of ${kind}`).join(', ')}`);
  for (const kind of EXPECTED) score.verdict(`there was a witness of ${kind}`, unless(kinds.has(kind), 'none'));
}

/** A constraint is read a moment after it was stored: waits until what each denies is denied. */
export async function untilInForce(asker: Asker, cases: readonly LintedCase[]): Promise<void> {
  const end = performance.now() + SEEN_MS;
  for (const { namespace, object } of cases) {
    const { repos } = object.spec['parameters'] as { repos?: readonly string[] };
    if (object.kind !== 'K8sAllowedRepos' || repos?.includes('')) continue;
    while ((await asker.ask(podReview(namespace, 'nobody.example/other:1'))).allowed) {
      if (performance.now() > end) throw new Error(`the constraint ${object.metadata.name} is not in force`);
      await delay(200);
    }
  }
  await delay(2000);
}

function podReview(namespace: string, image: string): string {
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'witness', namespace },
    spec: { containers: [{ name: 'main', image }] },
  };
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: `u-${namespace}`,
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      name: 'witness',
      namespace,
      operation: 'CREATE',
      userInfo: { username: 'somebody', groups: ['system:authenticated'] },
      object,
      oldObject: null,
      dryRun: false,
      options: null,
    },
  });
}
