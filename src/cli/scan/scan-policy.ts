import { defaultPolicy, type Policy } from '../../policy/policy.ts';

/** What `--fail-on` takes: a severity, any finding at all, or those known to be exploited. */
export const FAIL_ON = ['any', 'none', 'low', 'medium', 'high', 'critical', 'kev'] as const;
export type FailOn = (typeof FAIL_ON)[number] | 'off';

/** The built-in policy, which only warns, with the asked rules made to block. */
export function scanPolicy(failOn: FailOn): Policy {
  if (failOn === 'kev') return { ...defaultPolicy, kev: { ...defaultPolicy.kev, action: 'block' } };
  const threshold = failOn === 'any' ? 'none' : failOn;
  return { ...defaultPolicy, block: { fixable: threshold, unfixable: threshold } };
}
