import { setTimeout as delay } from 'node:timers/promises';
import type { TestCluster } from '../support/cluster.ts';
import type { Asker } from './ask.ts';
import { KINDS, probeName } from './constraints.ts';
import { PROBE_NAMESPACE } from './surroundings.ts';

const SEEN_MS = 120_000;

/** One of the two guards, with the API server it looks at. */
export interface Side {
  readonly name: 'Gatekeeper' | 'Breakwater';
  readonly cluster: TestCluster;
  readonly asker: Asker;
}

interface Stored {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly generation?: number; readonly uid?: string };
  readonly status?: {
    readonly byPod?: readonly {
      readonly id?: string;
      readonly observedGeneration?: number;
      readonly errors?: readonly { readonly message?: string }[];
    }[];
  };
}

/** Creates or replaces objects; gives what the API server refused, by `kind/name`. */
export async function put(side: Side, objects: readonly object[], tries = 5): Promise<ReadonlyMap<string, string>> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const replaced = await side.cluster.kubectl(['replace', '-f', '-'], list);
  if (replaced.code === 0) return new Map();
  // The status was written between kubectl's reading and its writing.
  if (tries > 1 && /the object has been modified/.test(replaced.stderr)) return put(side, objects, tries - 1);
  const created = await side.cluster.kubectl(['create', '-f', '-'], list);
  const refused = new Map<string, string>();
  for (const line of `${replaced.stderr}\n${created.stderr}`.split('\n')) {
    const about = /^The (\S+) "([^"]+)" is invalid: (.*)$/.exec(line);
    if (about) refused.set(`${about[1] ?? ''}/${about[2] ?? ''}`, about[3] ?? '');
    else if (line !== '' && !/already exists|not found/i.test(line)) throw new Error(`${side.name}: ${line}`);
  }
  return refused;
}

interface Scoped {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string };
  readonly spec?: {
    readonly enforcementAction?: string;
    readonly scopedEnforcementActions?: readonly { readonly enforcementPoints?: readonly unknown[] }[];
  };
}

/**
 * Takes away what scoped constraints without enforcement points are about to replace: Gatekeeper refuses these when it
 * reads them and goes on enforcing what was there before. Where its webhook is registered they cannot be stored.
 */
export async function removeBroken(side: Side, objects: readonly object[]): Promise<void> {
  const broken = (objects as readonly Scoped[]).filter(
    ({ spec }) =>
      spec?.enforcementAction === 'scoped' &&
      (spec.scopedEnforcementActions ?? []).some(({ enforcementPoints = [] }) => enforcementPoints.length === 0),
  );
  for (const { kind = '', metadata } of broken) {
    const resource = `${kind.toLowerCase()}.constraints.gatekeeper.sh`;
    await side.cluster.kubectl(['delete', '--ignore-not-found', resource, metadata?.name ?? '']);
  }
}

/** Takes all constraints out of a cluster. */
export async function removeConstraints({ name, cluster }: Side): Promise<void> {
  const kinds = Object.keys(KINDS).map((kind) => `${kind.toLowerCase()}.constraints.gatekeeper.sh`);
  const outcome = await cluster.kubectl(['delete', kinds.join(','), '--all']);
  if (outcome.code !== 0) throw new Error(`${name}: ${outcome.stderr}`);
}

/** Waits until Gatekeeper's pods have said that they observed the generation of everything that has a status by pod. */
export async function untilObserved(side: Side, pods: readonly string[]): Promise<void> {
  const kinds = Object.keys(KINDS)
    .map((kind) => `${kind.toLowerCase()}.constraints.gatekeeper.sh`)
    .join(',');
  await until(`${side.name} to observe all generations`, async () => {
    const shown = await side.cluster.kubectl(['get', `${kinds},expansiontemplate.expansion.gatekeeper.sh`, '-ojson']);
    const { items } = JSON.parse(shown.stdout) as { items: Stored[] };
    const late = items.filter(({ metadata, status }) =>
      pods.some(
        (pod) =>
          !status?.byPod?.some(
            ({ id, observedGeneration }) => id === pod && observedGeneration === metadata.generation,
          ),
      ),
    );
    return late.length === 0 ? undefined : late.map(({ kind, metadata }) => `${kind}/${metadata.name}`).join(', ');
  });
}

/** Waits until a guard judges by the probes of this round: they were written last of their kind. */
export async function untilProbed(side: Side, round: string): Promise<void> {
  await until(`${side.name} to judge by round ${round}`, async () => {
    const { warnings, ...rest } = await side.asker.ask(probe(PROBE_NAMESPACE, round));
    const missing = Object.keys(KINDS).filter(
      (kind) => !warnings.some((line) => line.includes(`[${probeName(kind)}]`)),
    );
    if (missing.length > 0) return `${missing.join(', ')}; answered ${JSON.stringify({ ...rest, warnings })}`;
    const exempt = await side.asker.ask(probe(`exempt-${round}`, round));
    return exempt.allowed ? undefined : `the exemption; answered ${JSON.stringify(exempt)}`;
  });
}

/** A pod that breaks each of the five probes of its round. */
function probe(namespace: string, round: string): string {
  const kind = { group: '', version: 'v1', kind: 'Pod' };
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `round-${round}`, namespace },
    spec: { containers: [{ name: 'probe', image: 'probe:x' }] },
  };
  const request = {
    uid: 'probe',
    kind,
    resource: { group: '', version: 'v1', resource: 'pods' },
    name: object.metadata.name,
    namespace,
    operation: 'CREATE',
    userInfo: { username: 'probe' },
    object,
    oldObject: null,
  };
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
}

/** Asks until there is nothing left to wait for; throws with what was missing last. */
export async function until(what: string, missing: () => Promise<string | undefined>): Promise<void> {
  const end = performance.now() + SEEN_MS;
  for (;;) {
    const still = await missing();
    if (still === undefined) return;
    if (performance.now() > end) throw new Error(`waited ${SEEN_MS / 1000} s for ${what}; missing: ${still}`);
    await delay(150);
  }
}
