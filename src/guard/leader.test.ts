import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { KubernetesError } from '../kubernetes/errors.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { createLeaderElection, type Leadership } from './leader.ts';
import { type ObjectStore, objectStore } from './testing.ts';

const PATH = '/apis/coordination.k8s.io/v1/namespaces/breakwater-system/leases/breakwater-guard-leader';
const timing = { leaseMs: 1000, renewMs: 600, retryMs: 30 };
const running: Leadership[] = [];

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

function candidate(store: ObjectStore, identity: string): Leadership {
  const one = createLeaderElection({
    client: store,
    clock: systemClock,
    logger: silentLogger,
    namespace: 'breakwater-system',
    identity,
    timing,
  });
  running.push(one);
  return one;
}

async function until(ask: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!ask()) {
    if (performance.now() > end) throw new Error(`waited 20 s for ${ask.toString()}`);
    await delay(10);
  }
}

function spec(store: ObjectStore): Record<string, unknown> {
  return (store.objects.get(PATH)?.['spec'] ?? {}) as Record<string, unknown>;
}

const gone = () => Promise.reject(new KubernetesError('unreachable', 'the network is down'));

it('one of three leads, and hands over at once when it is stopped', async () => {
  const store = objectStore();
  const all = ['a', 'b', 'c'].map((identity) => candidate(store, identity));
  const leaders = () => all.filter((one) => one.isLeader());
  await until(() => leaders().length === 1);
  for (let round = 0; round < 20; round += 1) {
    await delay(20);
    expect(leaders()).toHaveLength(1);
  }
  expect(spec(store)).toMatchObject({ leaseDurationSeconds: 1, leaseTransitions: 0 });
  expect(spec(store)['renewTime']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const [first] = leaders();
  const changes: boolean[] = [];
  first?.onChange((leads) => changes.push(leads));
  await first?.stop();
  expect(first?.isLeader()).toBe(false);
  expect(changes).toEqual([false]);
  await until(() => leaders().length === 1);
  expect(leaders()[0]).not.toBe(first);
  expect(spec(store)).toMatchObject({ leaseTransitions: 1 });
});

it('a leader that cannot renew stops leading before anybody else may start', async () => {
  const mine = objectStore();
  let cut = false;

  const first = candidate(
    {
      ...mine,
      get: (path) => (cut ? gone() : mine.get(path)),
      patch: (path, patch) => (cut ? gone() : mine.patch(path, patch)),
    },
    'a',
  );
  await until(() => first.isLeader());
  const second = candidate(mine, 'b');
  await delay(100);
  expect(second.isLeader()).toBe(false);
  cut = true;
  while (!second.isLeader()) {
    await delay(5);
    expect(first.isLeader() && second.isLeader()).toBe(false);
  }
  expect(spec(mine)).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
});
