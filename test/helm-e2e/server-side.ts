import assert from 'node:assert/strict';
import type { TestCluster } from '../support/cluster.ts';
import { applied } from '../support/gatekeeper.ts';
import { check } from './checks.ts';
import { NAMESPACE, rendered } from './helm.ts';
import { GOOD_VALUES } from './values.ts';

/** A real API server takes every object that a matrix of values gives, and nothing in them is unknown to it. */
export async function checkServerSide(cluster: TestCluster): Promise<void> {
  await applied(cluster, JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }));
  for (const [name, values] of Object.entries(GOOD_VALUES))
    await check(`an API server takes: ${name}`, async () => {
      const items = await rendered(values);
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
      const flags = ['--server-side', '--dry-run=server', '--validate=strict', '-f', '-'];
      const outcome = await cluster.kubectl(['apply', ...flags], list);
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.equal(outcome.stdout.trim().split('\n').length, items.length);
    });
  await check('monitoring objects are rendered when asked for', async () => {
    const objects = await rendered({
      alerts: { enabled: true, labels: { release: 'prometheus' } },
      metrics: { serviceMonitor: true },
    });
    const kinds = objects.filter(({ apiVersion }) => apiVersion === 'monitoring.coreos.com/v1').map(({ kind }) => kind);
    assert.deepEqual(kinds.sort(), ['PrometheusRule', 'ServiceMonitor']);
  });
}
