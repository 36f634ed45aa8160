import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Constraint } from '../constraints/constraint.ts';
import { CONSTRAINTS_PATH } from '../constraints/paths.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { toRfc3339 } from '../platform/clock.ts';
import type { AuditRun, AuditViolation } from './ports.ts';

/** As many as Gatekeeper keeps by default; all of them are in our own database. */
const KEPT_VIOLATIONS = 20;
const LONGEST_MESSAGE_BYTES = 256;
const ATTEMPTS = 5;
const FIRST_DELAY_MS = 100;

const currentSchema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  status: z.looseObject({ byPod: z.array(z.looseObject({ id: z.string() })).catch([]) }).optional(),
});

/** The `.status` of a constraint after a pass, in the form Gatekeeper writes. `others` are other replicas' entries. */
export function constraintStatus(
  constraint: Constraint,
  run: AuditRun,
  pod: string,
  others: readonly { readonly id: string }[] = [],
): Record<string, unknown> {
  const violations = run.violations.filter((one) => one.constraint === constraint.name);
  const own = {
    id: pod,
    constraintUID: constraint.uid,
    observedGeneration: constraint.generation,
    enforced: true,
    operations: ['audit', 'status', 'webhook'],
    ...errorsOf(constraint, run),
  };
  const byPod = [...others.filter(({ id }) => id !== pod), own].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    auditTimestamp: toRfc3339(run.startedAt),
    totalViolations: violations.length,
    byPod,
    // A merge patch with null takes the field away: it is absent when there is nothing to list.
    violations: violations.length === 0 ? null : keptViolations(violations, constraint),
  };
}

/** Writes the status of one constraint; on a conflict reads again, five times. Gone constraints are passed over. */
export async function writeConstraintStatus(
  client: KubernetesClient,
  constraint: Constraint,
  run: AuditRun,
  pod: string,
): Promise<void> {
  const path = `${CONSTRAINTS_PATH}/${encodeURIComponent(constraint.name)}`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { metadata, status } = currentSchema.parse(await client.get(path));
      await client.patch(`${path}/status`, {
        metadata: { resourceVersion: metadata.resourceVersion },
        status: constraintStatus(constraint, run, pod, status?.byPod),
      });
      return;
    } catch (error) {
      if (error instanceof KubernetesError && error.code === 'not_found') return;
      const conflict = error instanceof KubernetesError && error.code === 'conflict';
      if (!conflict || attempt === ATTEMPTS) throw error;
      await delay(FIRST_DELAY_MS * 2 ** attempt);
    }
  }
}

function errorsOf(constraint: Constraint, run: AuditRun): { errors?: readonly { code: string; message: string }[] } {
  const errors = [
    ...constraint.problems.map((message) => ({ code: 'constraint_problem', message })),
    ...run.incomplete.map(({ kind, reason }) => ({ code: 'audit_incomplete', message: `${kind}: ${reason}` })),
  ];
  return errors.length === 0 ? {} : { errors };
}

/** The lowest in Gatekeeper's order, written from high to low, as its queue leaves them. */
function keptViolations(violations: readonly AuditViolation[], constraint: Constraint): Record<string, unknown>[] {
  return violations
    .map((one) => ({ one, key: [one.group, one.version, one.kind, one.namespace, one.name, one.message, one.action] }))
    .sort((a, b) => compareLists(a.key, b.key))
    .slice(0, KEPT_VIOLATIONS)
    .reverse()
    .map(({ one }) => ({
      enforcementAction: one.action,
      ...(constraint.scopedActions.length > 0 ? { enforcementActions: constraint.scopedActions } : {}),
      group: one.group,
      version: one.version,
      kind: one.kind,
      ...(one.namespace === '' ? {} : { namespace: one.namespace }),
      name: one.name,
      message: cutBytes(one.message),
    }));
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? '';
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** At most 256 bytes, ending in `...` when cut, never within a character. */
function cutBytes(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= LONGEST_MESSAGE_BYTES) return message;
  let end = LONGEST_MESSAGE_BYTES - 3;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.subarray(0, end).toString('utf8')}...`;
}
