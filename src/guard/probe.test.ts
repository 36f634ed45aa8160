import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { probeAnswer } from '../admission/probe-answer.ts';
import { testRequest } from '../admission/testing.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { type ProbeResult, probe, startProbe } from './probe.ts';
import { objectStore } from './testing.ts';

const base = { clock: systemClock, logger: silentLogger, namespace: 'default' };

/** An API server that asks a guard about dry runs, as ours does. */
function asking() {
  const store = objectStore();
  store.dryRun = (object) => {
    const answer = probeAnswer(testRequest(object, { dryRun: true }), 'guard-0');
    if (!answer) throw new Error('this is no probe');
    throw new KubernetesError('denied', `admission webhook "x" denied the request: ${answer.status?.message ?? ''}`);
  };
  return store;
}

it('an answered probe proves the chain, and leaves nothing', async () => {
  const client = asking();
  expect(await probe({ ...base, client })).toMatchObject({ outcome: 'answered' });
  expect([client.writes, client.objects.size]).toEqual([[], 0]);
});

it.each<[ProbeResult['outcome'], RegExp, Error | undefined]>([
  ['open', /let a probe in namespace default pass without asking a guard/, undefined],
  ['closed', /cannot ask the guard/, new KubernetesError('unexpected_reply', 'failed calling webhook "v": refused')],
  [
    'unknown',
    /was not answered by a guard: .*breakwater probe 00000000/,
    new KubernetesError('denied', 'breakwater probe 00000000'),
  ],
  ['unknown', /namespace default of the probe does not exist/, new KubernetesError('not_found', '404')],
])('%s: %s', async (outcome, problem, error) => {
  const client = objectStore();
  if (error) {
    client.dryRun = () => {
      throw error;
    };
  }
  const result = await probe({ ...base, client });
  expect(result.outcome).toBe(outcome);
  expect(result.problem).toMatch(problem);
});

it('is asked again soon after a failure, and says how it stands', async () => {
  const client = asking();
  const answered = client.dryRun;
  client.dryRun = (object) => object;
  const seen: string[] = [];
  const running = startProbe({
    ...base,
    client,
    everyMs: 20,
    retryMs: 5,
    onResult: ({ outcome }) => seen.push(outcome),
  });
  while (seen.length < 3) await delay(5);
  expect(running.problem()).toMatch(/without asking a guard/);
  expect(running.provenAt()).toBeUndefined();
  client.dryRun = answered;
  while (running.provenAt() === undefined) await delay(5);
  expect(running.problem()).toBeUndefined();
  await running.stop();
  expect(seen.slice(0, 3)).toEqual(['open', 'open', 'open']);
});

it.each<[string, object, object]>([
  ['not a dry run', {}, { dryRun: false }],
  ['an update', {}, { operation: 'UPDATE' }],
  ['another kind', { kind: 'Pod' }, {}],
  ['no number', { metadata: { labels: { 'breakwater/probe': 'x y' } } }, {}],
  ['no labels', { metadata: { labels: null } }, {}],
])('%s is no probe', (_what, change, more) => {
  const object = { kind: 'PodTemplate', metadata: { labels: { 'breakwater/probe': '0123456789abcdef' } } };
  const request = (part: object, rest: object) => testRequest({ ...object, ...part }, { dryRun: true, ...rest });
  expect(probeAnswer(request({}, {}), 'a')).toMatchObject({ allowed: false });
  expect(probeAnswer(request(change, more), 'a')).toBeUndefined();
});
