import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Constraint } from '../constraints/constraint.ts';
import type { ConstraintKind } from '../constraints/kinds/kinds.ts';
import { constraintsPath } from '../constraints/paths.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import {
  auditStatus,
  auditTimestamp,
  brokenEntry,
  mergeEntries,
  type PodEntry,
  podEntry,
} from './constraint-status.ts';
import type { BrokenConstraint } from './constraint-watcher.ts';
import type { UnseenKind } from './live-cache.ts';
import type { ReportedViolation } from './reported-violations.ts';

export interface StatusWriterDeps {
  readonly client: KubernetesClient;
  readonly logger: Logger;
  /** Name of this replica. */
  readonly pod: string;
  /** How many violations a status lists; default 20, at most 500. */
  readonly keep?: number;
  /** Namespaces that the webhook configuration leaves out. */
  readonly unasked?: () => readonly string[];
  /** Names of the replicas there are; absent or undefined: nobody knows, and the entries of others stay. */
  readonly replicas?: () => readonly string[] | undefined;
}

/** What a pass has for the statuses. */
export interface AuditedStatus {
  readonly startedAt: number;
  readonly violations: readonly ReportedViolation[];
  /** Kinds that could not be seen: then the time of the last audit stays what it was. */
  readonly incomplete: readonly UnseenKind[];
}

export interface StatusWriter {
  /** Writes what a pass came to and this replica's own entries. For the leader. */
  writeAudit(
    constraints: readonly Constraint[],
    broken: readonly BrokenConstraint[],
    audited: AuditedStatus,
  ): Promise<void>;
  /** Writes this replica's entry where it is not there as it should. For all others. */
  writeEntries(constraints: readonly Constraint[], broken: readonly BrokenConstraint[]): Promise<void>;
}

interface Wanted {
  readonly kind: ConstraintKind;
  readonly name: string;
  readonly uid: string;
  readonly own: PodEntry;
  /** Of an audit: what it found, and when it began; without `at` the time stays. */
  readonly audit?: { readonly found: Record<string, unknown>; readonly at: string | undefined };
}

const ATTEMPTS = 5;
const FIRST_DELAY_MS = 100;
const AT_ONCE = 4;

const currentSchema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string(), uid: z.string().optional() }),
  status: z.looseObject({ byPod: z.array(z.looseObject({ id: z.string() })).catch([]) }).optional(),
});

export function createStatusWriter(deps: StatusWriterDeps): StatusWriter {
  /** By constraint: what was written last, without the time. */
  const written = new Map<string, string>();

  function lives(id: string): boolean {
    return deps.replicas?.()?.includes(id) ?? true;
  }

  async function write(wanted: Wanted): Promise<void> {
    const { own, audit } = wanted;
    const path = `${constraintsPath(wanted.kind)}/${encodeURIComponent(wanted.name)}`;
    const content = JSON.stringify([wanted.uid, own, audit?.found, deps.replicas?.()]);
    const timed = audit?.at === undefined ? {} : { auditTimestamp: audit.at };
    if (written.get(path) === content) {
      if (audit?.at === undefined) return;
      const reply = currentSchema.safeParse(await deps.client.patch(`${path}/status`, { status: timed }));
      // Somebody took our entry away, or it is another constraint by now: the next pass writes everything.
      if (!reply.data?.status?.byPod.some(({ id }) => id === own.id)) written.delete(path);
      return;
    }
    written.delete(path);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { metadata, status } = currentSchema.parse(await deps.client.get(path));
        const byPod = mergeEntries(status?.byPod ?? [], own, audit ? lives : () => true);
        await deps.client.patch(`${path}/status`, {
          metadata: { resourceVersion: metadata.resourceVersion },
          status: { ...timed, ...audit?.found, byPod },
        });
        written.set(path, content);
        return;
      } catch (error) {
        const conflict = error instanceof KubernetesError && error.code === 'conflict';
        if (!conflict || attempt === ATTEMPTS) throw error;
        await delay(FIRST_DELAY_MS * 2 ** attempt);
      }
    }
  }

  /** A status that cannot be written is told and tried again with the next pass; the others go on. */
  async function writeAll(all: readonly Wanted[]): Promise<void> {
    const left = [...all];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let wanted = left.shift(); wanted !== undefined; wanted = left.shift()) {
          try {
            await write(wanted);
          } catch (error) {
            if (error instanceof KubernetesError && error.code === 'not_found') continue;
            deps.logger.error(
              { constraint: wanted.name, problem: messageOf(error) },
              'status of a constraint could not be written',
            );
          }
        }
      }),
    );
  }

  function ownEntry(constraint: Constraint, unseen: readonly UnseenKind[] = []): PodEntry {
    return podEntry(constraint, deps.pod, { unseen, unasked: deps.unasked?.() ?? [] });
  }

  function brokenOnes(broken: readonly BrokenConstraint[]): Wanted[] {
    return broken.map((one) => ({ kind: one.kind, name: one.name, uid: one.uid, own: brokenEntry(one, deps.pod) }));
  }

  return {
    async writeAudit(constraints, broken, { startedAt, violations, incomplete }) {
      const byConstraint = Map.groupBy(violations, (one) => `${one.constraintKind}/${one.constraint}`);
      const at = incomplete.length === 0 ? auditTimestamp(startedAt) : undefined;
      const audited = constraints.map((constraint): Wanted => {
        const { kind, name, uid } = constraint;
        const found = auditStatus(constraint, byConstraint.get(`${kind}/${name}`) ?? [], deps.keep);
        return { kind, name, uid, own: ownEntry(constraint, incomplete), audit: { found, at } };
      });
      await writeAll([...audited, ...brokenOnes(broken)]);
    },
    writeEntries: (constraints, broken) =>
      writeAll([
        ...constraints.map((one) => ({ kind: one.kind, name: one.name, uid: one.uid, own: ownEntry(one) })),
        ...brokenOnes(broken),
      ]),
  };
}
