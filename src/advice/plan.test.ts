import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOW } from '../policy/judging.testing.ts';
import { defaultPolicy } from '../policy/policy.ts';
import { inventoryOf, lookupOf } from '../scanner/matcher/lookup.testing.ts';
import { advise } from './plan.ts';
import { followedAdvice, matchingOf, REPOSITORY, situationOf } from './worlds.testing.ts';

const gated = { ...defaultPolicy, block: { fixable: 'high', unfixable: 'high' } } as const;
const high = [{ source: 'nvd', severity: 'high' }] as const;
const ALPINE = 'Alpine:v3.20';
const RELEASE = { id: 'alpine', version: '3.20.3' };

function adviceOn(
  packages: Parameters<typeof inventoryOf>[0],
  statements: Parameters<typeof lookupOf>[0],
  policy = gated as typeof defaultPolicy,
) {
  const matching = matchingOf(lookupOf(statements));
  const world = { policy, exceptions: [] };
  return advise(situationOf(inventoryOf(packages, RELEASE), world, matching), [], matching);
}

describe('advice', () => {
  it('is none for what is not blocked', () => {
    expect(adviceOn([{ name: 'musl' }], {})).toEqual({ plans: [], obstacles: [] });
  });

  it('names the lowest version that satisfies all records about a package, not the fix of each', () => {
    const { plans } = adviceOn([{ name: 'musl', version: '1.0-r0' }], {
      [`${ALPINE} musl`]: [
        { ids: ['CVE-1'], ranges: [{ fixed: '1.0-r1' }], severities: high },
        { ids: ['CVE-2'], ranges: [{ fixed: '1.0-r3' }], severities: high },
        // Came with the fix of the second, and is fixed one further on.
        { ids: ['CVE-3'], ranges: [{ introduced: '1.0-r3', fixed: '1.0-r4' }], severities: high },
      ],
    });
    expect(plans[0]).toMatchObject({
      after: 'allow',
      parts: [
        { kind: 'upgrade', package: 'musl', installed: '1.0-r0', to: '1.0-r4', vulnerabilities: ['CVE-1', 'CVE-2'] },
      ],
    });
  });

  it('leaves alone what does not block', () => {
    const { plans } = adviceOn([{ name: 'musl', version: '1.0-r0' }], {
      [`${ALPINE} musl`]: [
        { ids: ['CVE-1'], ranges: [{ fixed: '1.0-r1' }], severities: high },
        { ids: ['CVE-2'], ranges: [{ fixed: '1.0-r9' }], severities: [{ source: 'nvd', severity: 'low' }] },
      ],
    });
    expect(plans[0]).toMatchObject({ parts: [{ to: '1.0-r1' }] });
  });

  it('knows a version beyond what is affected, where no record of that vulnerability names a fix', () => {
    const { plans } = adviceOn([{ type: 'npm', name: 'lodash', version: '4.0.0' }], {
      'npm lodash': [
        { ids: ['CVE-1'], ranges: [{ lastAffected: '4.2.0' }], severities: high },
        { ids: ['CVE-2'], ranges: [{ fixed: '4.1.0' }], severities: high },
        { ids: ['CVE-3'], ranges: [{ introduced: '4.1.0', fixed: '4.3.0' }], severities: high },
      ],
    });
    expect(plans[0]).toMatchObject({ parts: [{ kind: 'upgrade', to: '4.3.0' }] });
  });

  it('upgrades what is built from one source in one go, and says where it lies', () => {
    const source = { name: 'openssl', version: '1.0-r0' };
    const packages = ['libssl3', 'libcrypto3'].map((name) => ({ name, version: '1.0-r0', source }));
    const { plans } = adviceOn(packages, {
      [`${ALPINE} openssl`]: [{ ids: ['CVE-1'], ranges: [{ fixed: '1.0-r1' }], severities: high }],
    });
    expect(plans[0]?.parts).toEqual([
      {
        kind: 'upgrade',
        package: 'openssl',
        packageType: 'apk',
        installed: '1.0-r0',
        to: '1.0-r1',
        packages: ['libcrypto3', 'libssl3'],
        vulnerabilities: ['CVE-1'],
        places: [{ path: 'db' }],
      },
    ]);
  });

  it('asks for exceptions from what nothing ends, within what the policy lets them be', () => {
    const { plans } = adviceOn(
      [{ name: 'musl' }, { name: 'zlib' }],
      {
        [`${ALPINE} musl`]: [{ ids: ['CVE-1'], ranges: [{ fixed: '1.0-r1' }], severities: high }],
        [`${ALPINE} zlib`]: [{ ids: ['CVE-2'], ranges: [{}], severities: high }],
      },
      {
        ...gated,
        exceptions: { ...defaultPolicy.exceptions, mostDays: { low: 90, medium: 30, high: 7, critical: 1 } },
      },
    );
    const until = new Date(NOW + 6 * 86_400_000).toISOString().slice(0, 10);
    const forZlib = { kind: 'exception', vulnerability: 'CVE-2', package: 'zlib', repository: 'team/app', until };
    expect(plans.map(({ parts }) => parts.map(({ kind }) => kind))).toEqual([
      ['upgrade', 'exception'],
      ['exception', 'exception'],
    ]);
    expect(plans[0]?.parts[1]).toEqual(forZlib);
    expect(REPOSITORY).toBe('front/team/app');
  });

  it('asks for no longer than an exception may last with all its renewals', () => {
    const affected = { [`${ALPINE} zlib`]: [{ ids: ['CVE-2'], ranges: [{}], severities: high }] };
    const exceptions = { ...defaultPolicy.exceptions, mostLifeDays: 3 };
    const { plans } = adviceOn([{ name: 'zlib' }], affected, { ...gated, exceptions });
    const until = new Date(NOW + 2 * 86_400_000).toISOString().slice(0, 10);
    expect(plans[0]?.parts).toMatchObject([{ kind: 'exception', until }]);
  });

  it('asks for an exception from a rule for this very image', () => {
    const matching = matchingOf(lookupOf({}), true);
    const policy = { ...gated, endOfLife: 'block' } as const;
    const situation = situationOf(inventoryOf([{ name: 'musl' }], RELEASE), { policy, exceptions: [] }, matching);
    expect(advise(situation, [], matching).plans).toMatchObject([
      { after: 'allow', parts: [{ kind: 'exception', rule: 'end-of-life', digest: situation.input.subject }] },
    ]);
  });

  it('says what stands in the way when nothing helps', () => {
    const matching = matchingOf(lookupOf({}));
    const policy = { ...gated, advisoryAge: { days: 1, action: 'block' } } as const;
    const situation = situationOf(inventoryOf([{ name: 'musl' }], RELEASE), { policy, exceptions: [] }, matching);
    const { plans, obstacles } = advise(situation, [], matching);
    expect(plans).toEqual([]);
    expect(obstacles).toEqual([expect.stringContaining('the advisory database was built')]);
  });

  it('unblocks when it is followed, and needs each part', () => {
    fc.assert(followedAdvice(), { numRuns: 300 });
  });
});
