import type { ImageFactsSource } from '../constraints/image-facts.ts';
import type { NamespaceLabels } from '../constraints/match.ts';
import type { Rules } from '../constraints/rules.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import { CodedError, messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { AuditEvents } from './audit-events.ts';
import { createAuditState } from './audit-state.ts';
import type { BrokenConstraint } from './constraint-watcher.ts';
import type { GuardMetrics } from './guard-metrics.ts';
import type { LiveCache } from './live-cache.ts';
import type { ReportWriter } from './policy-reports.ts';
import type { AuditRun, AuditSink, RunningImage } from './ports.ts';
import { type Absence, type ReportedViolation, reportedViolations } from './reported-violations.ts';
import { runningImages } from './running-images.ts';
import { createStatusWriter } from './status-writer.ts';

/** `not_ready` what a pass needs has not been read yet · `not_leader` another replica audits this cluster. */
export class AuditError extends CodedError<'not_ready' | 'not_leader'> {}

export interface ClusterAuditDeps {
  readonly cache: LiveCache;
  /** The rules in force; undefined until they have been read. The same value while nothing changes. */
  rules(): Rules | undefined;
  /** Constraints that cannot be used. */
  broken?(): readonly BrokenConstraint[];
  readonly namespaceLabels: NamespaceLabels;
  readonly facts: ImageFactsSource;
  readonly client: KubernetesClient;
  readonly sink: AuditSink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Name of the cluster in our records. */
  readonly cluster: string;
  /** Name of this replica, its own line in `.status.byPod`. */
  readonly pod: string;
  /** Only one replica writes what audits find; default: this one. */
  isLeader?(): boolean;
  /** Names of the replicas that live, undefined while nobody knows. The lines of others leave the statuses. */
  replicas?(): Promise<readonly string[] | undefined>;
  /** When no guard answered, as far back as it matters. */
  absences?(): readonly Absence[];
  /** Namespaces that the webhook configuration leaves out. */
  unaskedNamespaces?(): readonly string[];
  /** How many violations a status lists; default 20, at most 500. */
  readonly keepViolations?: number;
  readonly reports?: ReportWriter;
  readonly events?: AuditEvents;
  readonly metrics?: Pick<GuardMetrics, 'audited' | 'constraints'>;
}

export interface ClusterAudit {
  /**
   * One pass: judges what changed since the last one with the function the webhook uses, records all violations and
   * running images, and writes statuses and reports. Kinds that cannot be seen make it incomplete and are named in it.
   * A replica that does not lead only says in the statuses that it is there. Throws `AuditError`, and what the sink throws.
   */
  pass(): Promise<AuditRun>;
  /** True when the rules are others than those of the last pass. */
  rulesChanged(): boolean;
  stop(): void;
}

/** What a pass found, kept for the next one when nothing changes. */
interface Found {
  readonly violations: readonly ReportedViolation[];
  readonly running: readonly RunningImage[];
}

export function createClusterAudit(deps: ClusterAuditDeps): ClusterAudit {
  const { cache, clock, logger, cluster } = deps;
  const state = createAuditState(deps);
  const statuses = createStatusWriter({
    client: deps.client,
    logger,
    pod: deps.pod,
    ...(deps.keepViolations === undefined ? {} : { keep: deps.keepViolations }),
    replicas: () => living,
    unasked: () => deps.unaskedNamespaces?.() ?? [],
  });
  let living: readonly string[] | undefined;
  let found: Found | undefined;
  let absencesSeen = '';
  let rulesSeen: Rules | undefined;

  async function look(rules: Rules, startedAt: number): Promise<AuditRun & { readonly reported: Found['violations'] }> {
    const absences = deps.absences?.() ?? [];
    const judgement = await state.judge(rules);
    const unchanged = found !== undefined && !judgement.changed && absencesSeen === JSON.stringify(absences);
    if (!unchanged || found === undefined)
      found = { violations: reportedViolations(cache, judgement.findings, absences), running: runningImages(cache) };
    absencesSeen = JSON.stringify(absences);
    return {
      cluster,
      startedAt,
      finishedAt: clock.now(),
      objects: cache.size,
      violations: found.violations.map(recorded),
      running: found.running,
      incomplete: [...cache.unseen(), ...judgement.unjudged],
      unchanged,
      reported: found.violations,
    };
  }

  /** What went wrong with one way of telling must not keep the others from being told. */
  async function tell(what: string, telling: Promise<void> | undefined): Promise<void> {
    await telling?.catch((error: unknown) =>
      logger.error({ problem: messageOf(error) }, `${what} could not be written`),
    );
  }

  return {
    rulesChanged: () => rulesSeen !== deps.rules(),
    async pass() {
      const startedAt = clock.now();
      await cache.settled();
      const rules = deps.rules();
      if (rules === undefined)
        throw new AuditError('not_ready', 'the constraints and namespaces of the cluster have not been read yet');
      const broken = deps.broken?.() ?? [];
      deps.metrics?.constraints(rules.constraints, broken.length);
      rulesSeen = rules;
      if (!(deps.isLeader?.() ?? true)) {
        // What it knew would be old by the time it leads.
        state.reset();
        found = undefined;
        await statuses.writeEntries(rules.constraints, broken);
        throw new AuditError('not_leader', 'another replica of the guard audits this cluster');
      }
      const { reported, ...run } = await look(rules, startedAt);
      try {
        await deps.sink.recordAudit(run);
      } catch (error) {
        // The next pass has to record all of it, whatever changes until then.
        found = undefined;
        throw error;
      }
      living = await deps.replicas?.().catch((error: unknown) => {
        logger.warn({ problem: messageOf(error) }, 'the replicas of the guard cannot be read');
        return living;
      });
      await statuses.writeAudit(rules.constraints, broken, {
        startedAt,
        violations: reported,
        incomplete: run.incomplete,
      });
      deps.metrics?.audited(run, clock.now());
      await tell('policy reports', deps.reports?.write(reported));
      await tell('events', deps.events?.tell(reported));
      return run;
    },
    stop: () => state.stop(),
  };
}

function recorded(one: ReportedViolation): AuditRun['violations'][number] {
  const { uid: _uid, scopedActions: _scoped, top: _top, ...violation } = one;
  return violation;
}
