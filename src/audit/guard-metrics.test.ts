import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createGuardMetrics } from './guard-metrics.ts';
import type { AuditRun } from './ports.ts';

const RULES = resolve(import.meta.dirname, '../../deploy/alerts/guard.rules.yaml');
const CHART_RULES = resolve(import.meta.dirname, '../../deploy/helm/breakwater-guard/alerts/rules.yaml');

const violation = {
  constraintKind: 'K8sAllowedRepos',
  constraint: 'repos',
  action: 'warn',
  group: '',
  version: 'v1',
  kind: 'Pod',
  namespace: 'n',
  name: 'p',
  message: 'm',
};
const run: AuditRun = {
  cluster: 'c',
  startedAt: 10_000,
  finishedAt: 11_000,
  objects: 3,
  violations: [violation, { ...violation, name: 'q', admittedWhileAway: true }, { ...violation, action: 'odd' }],
  running: [],
  incomplete: [],
};

describe('metrics of the guard', () => {
  it("speaks Gatekeeper's names, and ours by constraint", async () => {
    const registry = new Registry();
    const metrics = createGuardMetrics(registry);
    metrics.reviews.add(false, false, 0.002);
    metrics.reviews.add(true, true, 0.0015);
    metrics.reviews.add(true, false, 70);
    metrics.audited(run, 12_000);
    metrics.constraints([{ enforcementAction: 'warn' }, { enforcementAction: 'deny' }], 1);
    metrics.dataAge('verdicts', () => 7);
    metrics.dataAge('rules', () => undefined);
    const text = await registry.metrics();
    for (const line of [
      'gatekeeper_validation_request_count{admission_status="deny",admission_dryrun="false"} 1',
      'gatekeeper_validation_request_count{admission_status="allow",admission_dryrun="true"} 1',
      'gatekeeper_validation_request_count{admission_status="allow",admission_dryrun="false"} 1',
      'gatekeeper_validation_request_duration_seconds_bucket{le="0.001",admission_status="deny"} 0',
      'gatekeeper_validation_request_duration_seconds_bucket{le="0.002",admission_status="deny"} 1',
      'gatekeeper_validation_request_duration_seconds_bucket{le="5",admission_status="allow"} 1',
      'gatekeeper_validation_request_duration_seconds_bucket{le="+Inf",admission_status="allow"} 2',
      'gatekeeper_validation_request_duration_seconds_sum{admission_status="allow"} 70.0015',
      'gatekeeper_validation_request_duration_seconds_count{admission_status="deny"} 1',
      '# TYPE gatekeeper_validation_request_duration_seconds histogram',
      'gatekeeper_violations{enforcement_action="warn"} 2',
      'gatekeeper_violations{enforcement_action="deny"} 0',
      'gatekeeper_violations{enforcement_action="unrecognized"} 1',
      'gatekeeper_audit_last_run_time 10',
      'gatekeeper_audit_last_run_end_time 12',
      'gatekeeper_audit_duration_seconds_sum 2',
      'gatekeeper_constraints{enforcement_action="deny",status="active"} 1',
      'gatekeeper_constraints{enforcement_action="unrecognized",status="error"} 1',
      'breakwater_violations{constraint_kind="K8sAllowedRepos",constraint="repos",enforcement_action="warn"} 2',
      'breakwater_violations_admitted_while_away 1',
      'breakwater_audit_last_complete_time 10',
      'breakwater_data_age_seconds{data="verdicts"} 7',
      'breakwater_data_age_seconds{data="rules"} Nan',
    ])
      expect(text).toContain(`${line}\n`);
    metrics.audited({ ...run, violations: [], incomplete: [{ kind: 'Pod', reason: 'x' }] }, 30_000);
    const later = await registry.metrics();
    expect(later).toContain('gatekeeper_violations{enforcement_action="warn"} 0\n');
    expect(later).not.toContain('constraint="repos"');
    expect(later).toContain('breakwater_audit_incomplete_kinds 1\n');
    expect(later).toContain('breakwater_audit_last_complete_time 10\n');
  });

  it('has every metric that the alerts ask for', async () => {
    const registry = new Registry();
    const metrics = createGuardMetrics(registry);
    metrics.droppedFindings(() => 0);
    // Certificates and the probe are counted where they are at home.
    const others = readFileSync(resolve(import.meta.dirname, '../app/guard-metrics.ts'), 'utf8');
    const known = new Set(registry.getMetricsAsArray().map(({ name }) => name));
    for (const [name] of others.matchAll(/breakwater_guard_\w+/g)) known.add(name);
    const { groups } = parse(readFileSync(RULES, 'utf8')) as { groups: { rules: { alert: string; expr: string }[] }[] };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(5);
    for (const { alert, expr } of rules) {
      const asked = expr.match(/\b(?:breakwater|gatekeeper)_\w+/g) ?? [];
      for (const name of asked) expect(known, `${alert}: ${name}`).toContain(name);
      const foreign = /\b(?:apiserver_admission_webhook|kube_deployment_status)_/.test(expr) ? 1 : 0;
      expect(asked.length + foreign, alert).toBeGreaterThan(0);
    }
  });

  it('the alerts can be read by Prometheus, and the chart brings the same', () => {
    const { groups } = parse(readFileSync(RULES, 'utf8')) as { groups: { rules: { alert: string; expr: string }[] }[] };
    expect(unreadable('sum by (name) (x')).toBeDefined();
    for (const { alert, expr } of groups.flatMap(({ rules }) => rules)) expect(unreadable(expr), alert).toBeUndefined();
    expect(parse(readFileSync(CHART_RULES, 'utf8'))).toEqual({ groups });
  });
});

/** What of a PromQL expression cannot be read. */
function unreadable(expr: string): string | undefined {
  let wrong: string | undefined;
  parser.parse(expr).iterate({
    enter(node) {
      if (node.type.isError) wrong = expr.slice(node.from);
    },
  });
  return wrong;
}
