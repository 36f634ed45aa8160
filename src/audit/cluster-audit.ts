import { CONSTRAINT_KIND, type Constraint, ConstraintError, parseConstraint } from '../constraints/constraint.ts';
import { evaluate } from '../constraints/evaluate.ts';
import type { ImageFacts, ImageFactsSource } from '../constraints/image-facts.ts';
import { groupOf, type KubernetesObject, kubernetesObject, versionOf } from '../constraints/kubernetes-object.ts';
import { AUDITED_KINDS, type AuditedKind, CONSTRAINTS_PATH, NAMESPACES_PATH } from '../constraints/paths.ts';
import { rulesOf } from '../constraints/rules.ts';
import { referencesOf } from '../constraints/workload.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { type ListedObject, listPages } from '../kubernetes/list-pages.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { writeConstraintStatus } from './constraint-status.ts';
import type { AuditRun, AuditSink, AuditViolation, RunningImage } from './ports.ts';
import { runningImagesOf } from './running-images.ts';

export interface ClusterAuditDeps {
  readonly facts: ImageFactsSource;
  readonly client: KubernetesClient;
  readonly sink: AuditSink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Name of the cluster in our records. */
  readonly cluster: string;
  /** Name of this replica, its own line in `.status.byPod`. */
  readonly pod: string;
  /** Report every object on its own, as Gatekeeper does, instead of the owner at the top once. */
  readonly raw?: boolean;
}

interface Pass {
  readonly constraints: readonly Constraint[];
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly violations: AuditViolation[];
  readonly running: RunningImage[];
  /** What an object and its owners have said already, by uid. */
  readonly said: Map<string, ReadonlySet<string>>;
  /** The owner at the top of every object seen, by uid. */
  readonly tops: Map<string, { readonly kind: string; readonly name: string }>;
  objects: number;
}

/**
 * One pass: lists everything that runs pods, judges it with the function the webhook uses, records all violations and
 * running images, and writes each constraint's status. A kind that cannot be listed makes the run incomplete and is
 * named in it; only a cluster without constraints or namespaces to read fails the pass (`KubernetesError`).
 */
export async function auditCluster(deps: ClusterAuditDeps): Promise<AuditRun> {
  const startedAt = deps.clock.now();
  const pass: Pass = {
    constraints: await readConstraints(deps),
    namespaces: await readNamespaces(deps.client),
    violations: [],
    running: [],
    said: new Map(),
    tops: new Map(),
    objects: 0,
  };
  const incomplete: { kind: string; reason: string }[] = [];
  for (const audited of AUDITED_KINDS) {
    try {
      for await (const page of listPages(deps.client, audited.path)) {
        // Objects of a list come without the kind they share.
        const objects = page.items.map((item) => ({ ...item, apiVersion: audited.apiVersion, kind: audited.kind }));
        const facts = await deps.facts.factsAbout(referencesOf(objects));
        for (const object of objects) auditObject(deps, pass, audited, { raw: object, facts });
      }
    } catch (error) {
      if (!(error instanceof KubernetesError)) throw error;
      incomplete.push({ kind: audited.kind, reason: error.message });
      deps.logger.warn({ kind: audited.kind, problem: error.message }, 'kind could not be audited');
    }
  }
  const { violations, running, objects } = pass;
  const { cluster, clock } = deps;
  const run: AuditRun = { cluster, startedAt, finishedAt: clock.now(), objects, violations, running, incomplete };
  await deps.sink.recordAudit(run);
  for (const constraint of pass.constraints) {
    if (constraint.actionAt('audit.gatekeeper.sh') === undefined) continue;
    try {
      await writeConstraintStatus(deps.client, constraint, run, deps.pod);
    } catch (error) {
      deps.logger.error({ constraint: constraint.name, problem: messageOf(error) }, 'status could not be written');
    }
  }
  return run;
}

function auditObject(
  deps: ClusterAuditDeps,
  pass: Pass,
  audited: AuditedKind,
  { raw, facts }: { raw: ListedObject; facts: ImageFacts },
): void {
  const object = kubernetesObject.parse(raw);
  const { uid, name, namespace } = object.metadata;
  pass.objects += 1;
  const owner = ownerOf(object);
  const top = pass.tops.get(owner ?? '') ?? { kind: audited.kind, name };
  pass.tops.set(uid, top);
  if (audited.kind === 'Pod') pass.running.push(...runningImagesOf(raw, top, object));
  if (!deps.raw && isRetired(raw)) return;

  const inherited = deps.raw ? undefined : pass.said.get(owner ?? '');
  const said = new Set(inherited);
  const lines = evaluate(
    { ...facts, namespaceLabels: (one) => pass.namespaces.get(one) },
    rulesOf(pass.constraints),
    'audit.gatekeeper.sh',
    { object: raw },
  );
  for (const { kind, constraint, message } of lines) {
    const key = `${constraint.name}\n${message}`;
    if (kind === 'warned' || said.has(key)) continue;
    said.add(key);
    pass.violations.push({
      constraint: constraint.name,
      action: constraint.enforcementAction,
      group: groupOf(audited.apiVersion),
      version: versionOf(audited.apiVersion),
      kind: audited.kind,
      namespace,
      name,
      message,
    });
  }
  if (said.size > 0) pass.said.set(uid, said);
}

function ownerOf(object: KubernetesObject): string | undefined {
  return object.metadata.ownerReferences.find(({ controller }) => controller === true)?.uid;
}

/** A ReplicaSet that a Deployment keeps for going back runs nothing. */
function isRetired(raw: ListedObject): boolean {
  const { kind, spec } = raw;
  return (
    kind === 'ReplicaSet' && typeof spec === 'object' && spec !== null && 'replicas' in spec && spec.replicas === 0
  );
}

async function readConstraints(deps: ClusterAuditDeps): Promise<Constraint[]> {
  const constraints: Constraint[] = [];
  for await (const page of listPages(deps.client, CONSTRAINTS_PATH)) {
    for (const item of page.items) {
      try {
        constraints.push(parseConstraint(item, CONSTRAINT_KIND));
      } catch (error) {
        if (!(error instanceof ConstraintError)) throw error;
        deps.logger.error({ problem: error.message }, 'constraint is not audited');
      }
    }
  }
  return constraints;
}

async function readNamespaces(client: KubernetesClient): Promise<Map<string, Readonly<Record<string, string>>>> {
  const namespaces = new Map<string, Readonly<Record<string, string>>>();
  for await (const page of listPages(client, NAMESPACES_PATH)) {
    for (const item of page.items) {
      const { metadata } = kubernetesObject.parse(item);
      namespaces.set(metadata.name, metadata.labels);
    }
  }
  return namespaces;
}
