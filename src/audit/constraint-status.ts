import type { Constraint } from '../constraints/constraint.ts';
import { unaskedNamespaces } from '../constraints/unasked-namespaces.ts';
import { toRfc3339 } from '../platform/clock.ts';
import type { BrokenConstraint } from './constraint-watcher.ts';
import type { UnseenKind } from './live-cache.ts';
import type { ReportedViolation } from './reported-violations.ts';

/** As many as Gatekeeper keeps by default; all of them are in our own database. */
const KEPT_VIOLATIONS = 20;
/** More do not fit into one object of the API server with their messages. */
const MOST_KEPT_VIOLATIONS = 500;
const LONGEST_MESSAGE_BYTES = 256;
const ELLIPSIS = '...';
const OPERATIONS = ['audit', 'status', 'webhook'];

/** This replica's line in `.status.byPod`. */
export interface PodEntry {
  readonly id: string;
  readonly constraintUID: string;
  readonly observedGeneration: number;
  readonly enforced: boolean;
  readonly operations: readonly string[];
  readonly errors?: readonly { readonly code: string; readonly message: string }[];
}

/**
 * What a replica says about a constraint that it uses; `unseen` are kinds its audit could not see, `unasked` namespaces that
 * the webhook configuration leaves out.
 */
export function podEntry(
  constraint: Constraint,
  pod: string,
  { unseen = [], unasked = [] }: { readonly unseen?: readonly UnseenKind[]; readonly unasked?: readonly string[] } = {},
): PodEntry {
  const errors = [
    ...[...constraint.problems, ...unaskedNamespaces(constraint.match, unasked)].map((message) => ({
      code: 'constraint_problem',
      message,
    })),
    ...unseen.map(({ kind, reason }) => ({ code: 'audit_incomplete', message: `${kind}: ${reason}` })),
  ];
  return entryOf(constraint, pod, constraint.rule !== undefined, errors);
}

/** What a replica says about a constraint that it cannot use. */
export function brokenEntry(broken: BrokenConstraint, pod: string): PodEntry {
  return entryOf(broken, pod, false, [{ code: 'constraint_invalid', message: broken.problem }]);
}

function entryOf(
  { uid, generation }: { readonly uid: string; readonly generation: number },
  pod: string,
  enforced: boolean,
  errors: NonNullable<PodEntry['errors']>,
): PodEntry {
  return {
    id: pod,
    constraintUID: uid,
    observedGeneration: generation,
    enforced,
    operations: OPERATIONS,
    ...(errors.length === 0 ? {} : { errors }),
  };
}

/** The entries of all replicas by id, with ours in the place of our old one; of others only those that `lives` accepts. */
export function mergeEntries<Entry extends { readonly id: string }>(
  others: readonly Entry[],
  own: PodEntry,
  lives: (id: string) => boolean,
): (Entry | PodEntry)[] {
  return [...others.filter(({ id }) => id !== own.id && lives(id)), own].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * What an audit writes into the status of a constraint, as a merge patch: null takes a field away, for `violations` is
 * absent when there are none. `keep` is how many are listed.
 */
export function auditStatus(
  constraint: Constraint,
  violations: readonly ReportedViolation[],
  keep = KEPT_VIOLATIONS,
): Record<string, unknown> {
  const kept = lowest(violations, Math.min(keep, MOST_KEPT_VIOLATIONS)).reverse();
  const { compat } = constraint.options;
  return {
    totalViolations: violations.length,
    violations: kept.length === 0 ? null : kept.map((one) => statusViolation(one, compat)),
    // Gatekeeper has no such field.
    truncated: kept.length < violations.length && !compat ? true : null,
  };
}

/** The start of a pass as a status says it. */
export function auditTimestamp(startedAt: number): string {
  return toRfc3339(startedAt);
}

function statusViolation(one: ReportedViolation, compat: boolean): Record<string, unknown> {
  return {
    enforcementAction: one.action,
    ...(one.scopedActions.length > 0 ? { enforcementActions: one.scopedActions } : {}),
    group: one.group,
    version: one.version,
    kind: one.kind,
    ...(one.namespace === '' ? {} : { namespace: one.namespace }),
    name: one.name,
    message: cutBytes(one.message, compat),
  };
}

/** The lowest in Gatekeeper's order, from low to high, without sorting all of them. */
function lowest(violations: readonly ReportedViolation[], count: number): ReportedViolation[] {
  const kept: ReportedViolation[] = [];
  if (count <= 0) return kept;
  for (const one of violations) {
    const last = kept[kept.length - 1];
    if (kept.length === count && last !== undefined && compareViolations(one, last) >= 0) continue;
    let at = kept.length;
    while (at > 0 && compareViolations(one, kept[at - 1] ?? one) < 0) at -= 1;
    kept.splice(at, 0, one);
    if (kept.length > count) kept.pop();
  }
  return kept;
}

const ORDER = ['group', 'version', 'kind', 'namespace', 'name', 'message', 'action'] as const;

/** By bytes, as Go compares texts. */
function compareViolations(a: ReportedViolation, b: ReportedViolation): number {
  for (const field of ORDER) {
    if (a[field] !== b[field]) return Buffer.compare(Buffer.from(a[field]), Buffer.from(b[field]));
  }
  return 0;
}

/**
 * At most 256 bytes, ending in `...` when cut. Gatekeeper cuts within a character too, and what is left of it reaches the
 * API server as a replacement character for each byte; otherwise never within one.
 */
export function cutBytes(message: string, compat: boolean): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= LONGEST_MESSAGE_BYTES) return message;
  const limit = LONGEST_MESSAGE_BYTES - ELLIPSIS.length;
  let end = limit;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  const broken = compat ? '\ufffd'.repeat(limit - end) : '';
  return `${bytes.subarray(0, end).toString('utf8')}${broken}${ELLIPSIS}`;
}
