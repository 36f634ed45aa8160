import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dependsOnClocks } from './clock-need.ts';
import { decide } from './judge.ts';
import type { JudgeInput } from './judge-input.ts';
import { anException, DAY, graceOf, inputs, NOW } from './judging.testing.ts';
import { defaultPolicy, type Policy } from './policy.ts';

/** All that is told but since when something is known. */
function toldOf(input: JudgeInput, moment: number) {
  const decision = decide(input).later(moment);
  const { reasons, ...told } = decision.told();
  return {
    ...told,
    changesAt: decision.changesAt,
    reasons: reasons.map((reason) => ({ ...reason, firstSeen: undefined })),
  };
}

function withoutPeriods(policy: Policy): Policy {
  const { kev, epss } = policy;
  return { ...policy, graceDays: graceOf({}), kev: { ...kev, graceDays: 0 }, epss: { ...epss, threshold: null } };
}

describe('what decisions depend on', () => {
  it('is no clock where no policy knows a period, whatever it is and whenever that is', () => {
    fc.assert(
      fc.property(inputs, inputs, fc.nat(40), ({ coming = [], ...one }, { clocks }, days) => {
        const input = {
          ...one,
          policy: withoutPeriods(one.policy),
          coming: coming.map((next) => ({ ...next, policy: withoutPeriods(next.policy) })),
        };
        const policies = [input.policy, ...input.coming.map(({ policy }) => policy)];
        expect(dependsOnClocks(policies, input.exceptions)).toBe(false);
        const at = NOW + days * DAY;
        expect(toldOf({ ...input, clocks }, at)).toEqual(toldOf(input, at));
      }),
    );
  });

  it('is the clocks where a policy knows a period, or an exception ends with a fix', () => {
    expect(dependsOnClocks([defaultPolicy], [anException()])).toBe(false);
    expect(dependsOnClocks([defaultPolicy], [anException({ fixDays: 3 })])).toBe(true);
    expect(dependsOnClocks([defaultPolicy, { ...defaultPolicy, graceDays: graceOf({ low: 1 }) }], [])).toBe(true);
    expect(dependsOnClocks([{ ...defaultPolicy, epss: { ...defaultPolicy.epss, threshold: 0.5 } }], [])).toBe(true);
    expect(dependsOnClocks([{ ...defaultPolicy, kev: { ...defaultPolicy.kev, graceDays: 1 } }], [])).toBe(true);
  });
});
