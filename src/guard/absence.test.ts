import { expect, it } from 'vitest';
import { fixedClock } from '../platform/clock.ts';
import { ABSENCE_NAME, type AbsenceRecord, cameInWhileAway, createAbsenceRecord } from './absence.ts';
import { objectStore } from './testing.ts';

const START = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const PATH = `/api/v1/namespaces/ns/configmaps/${ABSENCE_NAME}`;

function world() {
  const store = objectStore();
  const clock = fixedClock(START);
  const record = (id: string): AbsenceRecord => createAbsenceRecord({ client: store, clock, namespace: 'ns', id });
  return { store, clock, record };
}

it('an absence is known to all replicas, goes on over a restart, and ends when requests come through', async () => {
  const { clock, record } = world();
  const first = record('a');
  first.away(START);
  await first.step(['a']);
  const again = record('a');
  await again.step(['a']);
  expect(again.intervals()).toEqual([{ from: START, to: undefined }]);
  again.back(START + 60_000);
  expect(again.intervals()).toEqual([{ from: START, to: START + 60_000 }]);
  await again.step(['a']);
  clock.advance(120_000);
  const other = record('b');
  expect(other.intervals()).toEqual([]);
  await other.step(['a', 'b']);
  expect(other.intervals()).toEqual([{ from: START, to: START + 60_000 }]);
});

it('the absence of a replica that never came back ends with the first proof of another', async () => {
  const { record } = world();
  const dead = record('a');
  dead.away(START);
  await dead.step(['a']);
  const other = record('b');
  other.back(START - 1);
  await other.step(['b']);
  expect(other.intervals()).toEqual([{ from: START, to: undefined }]);
  other.back(START + 5000);
  await other.step(['a', 'b']);
  expect(other.intervals()).toEqual([{ from: START, to: undefined }]);
  await other.step(['b']);
  expect(other.intervals()).toEqual([{ from: START, to: START + 5000 }]);
});

it('what could not be written is written later, and nothing twice', async () => {
  const { store, record } = world();
  const one = record('a');
  one.away(START);
  one.back(START + 1000);
  store.away = new (await import('../kubernetes/errors.ts')).KubernetesError('unreachable', 'gone');
  await expect(one.step(['a'])).rejects.toThrow('gone');
  store.away = undefined;
  one.missed(START + 100_000);
  await one.step(['a']);
  const wanted = [
    { from: START, to: START + 1000 },
    { from: START + 97_000, to: START + 100_000 },
  ];
  expect(one.intervals()).toEqual(wanted);
  const writes = store.writes.length;
  await one.step(['a']);
  expect(store.writes).toHaveLength(writes);
  const other = record('b');
  other.missed(START + 101_000);
  await other.step(['a', 'b']);
  await one.step(['a', 'b']);
  expect(one.intervals()).toEqual([wanted[0], { from: START + 97_000, to: START + 101_000 }]);
});

it('is bounded, forgets what is long ago, and begins anew when its object is something else', async () => {
  const { store, clock, record } = world();
  const one = record('a');
  for (let at = 0; at < 500; at += 1) one.missed(START + at * 10_000);
  await one.step(['a']);
  expect(one.intervals()).toHaveLength(200);
  clock.advance(100 * DAY);
  await one.step(['a']);
  expect(one.intervals()).toEqual([]);
  store.objects.set(PATH, { metadata: { name: ABSENCE_NAME, resourceVersion: '1' }, data: { record: '{"x":' } });
  one.missed(clock.now());
  await one.step(['a']);
  expect(one.intervals()).toHaveLength(1);
});

it('tells what came in meanwhile, although Kubernetes writes whole seconds', () => {
  const intervals = [
    { from: START + 400, to: START + 5000 },
    { from: START + 60_000, to: undefined },
  ];
  const at = (ms: number) => cameInWhileAway(intervals, START + ms);
  expect([-1000, 0, 5000, 6000, 58_000, 60_000, 1e9].map(at)).toEqual([false, true, true, false, false, true, true]);
});
