import { expect, it } from 'vitest';
import { fixedClock } from '../platform/clock.ts';
import { createRecentWorkloads, NO_WORKLOADS } from './recent-workloads.ts';
import { testWorkload } from './testing.ts';

it('keeps no text that is too long to name an image, and not more text than a bound', () => {
  const recent = createRecentWorkloads(NO_WORKLOADS, fixedClock(0));
  recent.admitted(testWorkload('Deployment', 'long', ['x'.repeat(2_000_000), 'nginx']));
  expect(recent.workload('uid-long')?.images.map(({ image }) => image)).toEqual(['nginx']);
  const many = Array.from({ length: 1000 }, (_, at) => `x${'y'.repeat(1000)}${at}`);
  for (let at = 0; at < 30; at += 1) recent.admitted(testWorkload('Deployment', `d${at}`, many));
  expect(recent.workload('uid-d0')).toBeUndefined();
  expect(recent.workload('uid-d29')?.images).toHaveLength(1000);
});
