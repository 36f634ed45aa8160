import { groupOf, versionOf } from '../constraints/kubernetes-object.ts';
import { AUDITED_KINDS } from '../constraints/paths.ts';
import type { HeldWorkload } from './held-workload.ts';
import type { WorkloadFinding } from './judge-workload.ts';
import type { LiveCache } from './live-cache.ts';
import type { AuditViolation } from './ports.ts';

/** A violation with what only reports and events want to know. */
export interface ReportedViolation extends AuditViolation {
  readonly constraintKind: string;
  readonly image: string;
  readonly uid: string;
  readonly scopedActions: readonly string[];
  /** The owner at the top, for events. */
  readonly top: HeldWorkload;
}

/** A time in which no guard answered, epoch ms; without an end it goes on. */
export interface Absence {
  readonly from: number;
  readonly to: number | undefined;
}

/** Clocks differ, and the API server notes full seconds only. */
const MARGIN_MS = 2000;

/**
 * What is told of all findings, in a fixed order: of an owner and what it makes only the owner, and nothing about
 * ReplicaSets kept for going back; for constraints that report `raw` everything.
 */
export function reportedViolations(
  cache: LiveCache,
  findings: ReadonlyMap<string, readonly WorkloadFinding[]>,
  absences: readonly Absence[],
): ReportedViolation[] {
  const reported: ReportedViolation[] = [];
  for (const [uid, found] of findings) {
    const workload = cache.held(uid);
    if (workload === undefined) continue;
    for (const finding of found) {
      const raw = finding.constraint.options.report === 'raw';
      if (!raw && (workload.retired || saidAbove(cache, findings, workload, finding))) continue;
      reported.push(violationOf(cache, workload, finding, absences));
    }
  }
  return reported.sort(byPlace);
}

function saidAbove(
  cache: LiveCache,
  findings: ReadonlyMap<string, readonly WorkloadFinding[]>,
  workload: HeldWorkload,
  { constraint, message }: WorkloadFinding,
): boolean {
  const top = cache.heldTopOf(workload);
  let owner: HeldWorkload | undefined = workload;
  while (owner !== undefined && owner !== top) {
    owner = owner.owner && cache.held(owner.owner.uid);
    if (owner === undefined || owner.retired) continue;
    const said = findings.get(owner.uid)?.some((one) => one.constraint === constraint && one.message === message);
    if (said) return true;
  }
  return false;
}

function violationOf(
  cache: LiveCache,
  workload: HeldWorkload,
  { constraint, action, scopedActions, image, message }: WorkloadFinding,
  absences: readonly Absence[],
): ReportedViolation {
  const { apiVersion, kind, namespace, name, uid, createdAt } = workload;
  const away = absences.some(
    ({ from, to }) => createdAt >= from - MARGIN_MS && createdAt <= (to ?? Number.POSITIVE_INFINITY) + MARGIN_MS,
  );
  return {
    constraintKind: constraint.kind,
    constraint: constraint.name,
    action,
    scopedActions,
    group: groupOf(apiVersion),
    version: versionOf(apiVersion),
    kind,
    namespace,
    name,
    uid,
    image,
    message,
    top: cache.heldTopOf(workload),
    ...(away ? { admittedWhileAway: true as const } : {}),
  };
}

const KIND_ORDER = new Map(AUDITED_KINDS.map(({ kind }, at) => [kind, at]));

function byPlace(a: ReportedViolation, b: ReportedViolation): number {
  return (
    (KIND_ORDER.get(a.kind) ?? KIND_ORDER.size) - (KIND_ORDER.get(b.kind) ?? KIND_ORDER.size) ||
    compare(a.kind, b.kind) ||
    compare(a.namespace, b.namespace) ||
    compare(a.name, b.name) ||
    compare(a.constraintKind, b.constraintKind) ||
    compare(a.constraint, b.constraint) ||
    compare(a.message, b.message)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
