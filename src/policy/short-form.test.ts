import { expect, it } from 'vitest';
import { defaultPolicy } from './policy.ts';
import { senseless } from './policy-sense.ts';
import { shortFormFields } from './short-form.ts';

it('means at or above, fixable or not, and brings down a warning that would never only warn', () => {
  const fields = (short: Parameters<typeof shortFormFields>[0]) =>
    Object.fromEntries(shortFormFields(short, defaultPolicy));
  expect(fields({ block: 'high' })).toEqual({
    'block.fixable': 'high',
    'block.unfixable': 'high',
    'warn.unfixable': 'high',
  });
  expect(fields({ block: 'off' })).toEqual({ 'block.fixable': 'off', 'block.unfixable': 'off' });
  expect(fields({ warn: 'critical' })).toEqual({ 'warn.fixable': 'critical', 'warn.unfixable': 'critical' });
  expect(fields({ block: 'critical', warn: 'low' })).toMatchObject({
    'warn.fixable': 'low',
    'block.fixable': 'critical',
  });
});

it('names what makes no sense as a whole, with the way out', () => {
  const days = { low: 30, medium: 30, high: 7, critical: 9 };
  const policy = {
    ...defaultPolicy,
    block: { fixable: 'medium', unfixable: 'off' } as const,
    graceDays: { ...defaultPolicy.graceDays, fixable: days },
  };
  expect(senseless(defaultPolicy)).toEqual([]);
  expect(senseless(policy)).toEqual([
    'warn.fixable: high is above block.fixable: medium, so that nothing would ever only warn; set it to medium or lower, or to off',
    'graceDays.fixable.critical: 9 is longer than 7 for high, but what is critical is at least high too; set it to 7 or fewer',
  ]);
  expect(senseless({ ...policy, block: { fixable: 'critical', unfixable: 'off' } })).toEqual([]);
});
