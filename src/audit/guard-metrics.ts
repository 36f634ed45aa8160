import { Gauge, Histogram, type Registry } from 'prom-client';
import type { Constraint } from '../constraints/constraint.ts';
import type { AuditRun } from './ports.ts';
import { createReviewCounts, type ReviewCounts } from './review-counts.ts';

/** What the guard counts: under Gatekeeper's names what Gatekeeper counts, so that its dashboards go on, and our own. */
export interface GuardMetrics {
  readonly reviews: ReviewCounts;
  /** A pass ended at `endedAt`, epoch ms. */
  audited(run: AuditRun, endedAt: number): void;
  /** The constraints in force, and how many cannot be used. */
  constraints(active: readonly Pick<Constraint, 'enforcementAction'>[], broken: number): void;
  /** How old what is known is, in seconds: rules, workloads, verdicts, trusted set. Read when somebody asks for the metrics. */
  dataAge(what: string, seconds: () => number | undefined): void;
  /** Only one replica does: 1 in the one that leads. */
  leads(leads: boolean): void;
  /** Admission findings that were lost, read when somebody asks for the metrics. */
  droppedFindings(read: () => number): void;
}

const AUDIT_BUCKETS = [0.1, 0.5, 1, 3, 10, 30, 60, 180, 300, 600];
const ACTIONS = ['deny', 'warn', 'dryrun', 'scoped', 'unrecognized'];

/** Registers the metrics; one per process. */
export function createGuardMetrics(registry: Registry): GuardMetrics {
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge<Label>({ name, help, labelNames, registers });
  const violations = gauge('gatekeeper_violations', 'Violations that the last audit found', ['enforcement_action']);
  const auditSeconds = new Histogram({
    name: 'gatekeeper_audit_duration_seconds',
    help: 'How long audits took',
    buckets: AUDIT_BUCKETS,
    registers,
  });
  const lastRun = gauge('gatekeeper_audit_last_run_time', 'When the last audit began, seconds since the epoch');
  const lastEnd = gauge('gatekeeper_audit_last_run_end_time', 'When the last audit ended, seconds since the epoch');
  const constraintCount = gauge('gatekeeper_constraints', 'Constraints in the cluster', [
    'enforcement_action',
    'status',
  ]);
  const own = gauge('breakwater_violations', 'Violations that the last audit found, by constraint', [
    'constraint_kind',
    'constraint',
    'enforcement_action',
  ]);
  const away = gauge(
    'breakwater_violations_admitted_while_away',
    'Violations that were created while no guard answered',
  );
  const incomplete = gauge('breakwater_audit_incomplete_kinds', 'Kinds that the last audit could not see');
  const complete = gauge(
    'breakwater_audit_last_complete_time',
    'When the last audit that saw everything began, seconds',
  );
  const leader = gauge('breakwater_leader', '1 in the replica that audits');
  const ages = new Map<string, () => number | undefined>();
  const age: Gauge<'data'> = new Gauge({
    name: 'breakwater_data_age_seconds',
    help: 'How old what decisions rest on is; NaN while it is not there',
    labelNames: ['data'],
    registers,
    collect() {
      for (const [data, seconds] of ages) age.set({ data }, seconds() ?? Number.NaN);
    },
  });

  return {
    reviews: createReviewCounts(registry),
    audited(run, endedAt) {
      for (const enforcement_action of ACTIONS) violations.set({ enforcement_action }, 0);
      own.reset();
      for (const { action, constraint, constraintKind = '' } of run.violations) {
        violations.inc({ enforcement_action: knownAction(action) });
        own.inc({ constraint_kind: constraintKind, constraint, enforcement_action: knownAction(action) });
      }
      away.set(run.violations.filter(({ admittedWhileAway }) => admittedWhileAway).length);
      incomplete.set(run.incomplete.length);
      if (run.incomplete.length === 0) complete.set(run.startedAt / 1000);
      auditSeconds.observe((endedAt - run.startedAt) / 1000);
      lastRun.set(run.startedAt / 1000);
      lastEnd.set(endedAt / 1000);
    },
    constraints(active, broken) {
      constraintCount.reset();
      for (const enforcement_action of ACTIONS) {
        const count = active.filter((one) => knownAction(one.enforcementAction) === enforcement_action).length;
        constraintCount.set({ enforcement_action, status: 'active' }, count);
      }
      constraintCount.set({ enforcement_action: 'unrecognized', status: 'error' }, broken);
    },
    dataAge: (what, seconds) => void ages.set(what, seconds),
    leads: (leads) => leader.set(leads ? 1 : 0),
    droppedFindings(read) {
      const dropped: Gauge = new Gauge({
        name: 'breakwater_admission_findings_dropped',
        help: 'Admission findings that were lost because too many came',
        registers,
        collect: () => dropped.set(read()),
      });
    },
  };
}

function knownAction(action: string): string {
  return ACTIONS.includes(action) ? action : 'unrecognized';
}
