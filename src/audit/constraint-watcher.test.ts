import { expect, it, vi } from 'vitest';
import { createRuleHistory } from '../admission/rule-history.ts';
import { constraintsPath, NAMESPACES_PATH } from '../constraints/paths.ts';
import { fakeCluster } from '../kubernetes/testing.ts';
import { fixedClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { createConstraintWatcher } from './constraint-watcher.ts';

const CREATED = Date.parse('2026-01-01T00:00:00Z');

it('tells the history what constraints say, without what does not decide, and nothing of broken ones', async () => {
  const client = fakeCluster();
  client.collections.set(NAMESPACES_PATH, []);
  client.collections.set(constraintsPath('K8sAllowedRepos'), [
    constraint('good', { parameters: { repos: ['h.io'] } }),
    constraint('broken', { match: 'x' }),
  ]);
  const history = createRuleHistory();
  const clock = fixedClock(CREATED + 5000);
  const watcher = createConstraintWatcher({ client, clock, logger: silentLogger, observer: history });
  try {
    await vi.waitUntil(() => watcher.rules());
    expect(history.versions('K8sAllowedRepos', 'good')).toEqual([
      {
        from: CREATED,
        content: '{"annotations":{"breakwater/matching":"prefix"},"spec":{"parameters":{"repos":["h.io"]}}}',
      },
    ]);
    expect(history.versions('K8sAllowedRepos', 'broken')).toEqual([]);
  } finally {
    await watcher.stop();
  }
});

function constraint(name: string, spec: unknown): Record<string, unknown> {
  const annotations = { note: 'x', 'breakwater/matching': 'prefix' };
  return { metadata: { name, uid: name, creationTimestamp: '2026-01-01T00:00:00Z', annotations }, spec };
}
