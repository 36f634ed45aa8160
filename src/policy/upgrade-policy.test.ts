import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policies } from './judging.testing.ts';
import { upgradePolicy } from './upgrade-policy.ts';

/** A document as it was first stored. */
const first = {
  block: { fixable: 'high', unfixable: 'off' },
  warn: { fixable: 'high', unfixable: 'critical' },
  graceDays: { low: 0, medium: 30, high: 7, critical: 2 },
  kev: 'block',
  epss: 0.5,
  epssAction: 'block',
  severitySources: ['nvd'],
  unknownSeverity: 'low',
  unscanned: 'wait',
  unscannable: 'block',
  endOfLife: 'warn',
  advisorySample: 'warn',
  advisoryAgeDays: 14,
  advisoryAge: 'block',
  ignoreStatuses: ['will_not_fix', 'end_of_life'],
  strictIndex: true,
  gateBlobs: false,
};

describe('an older policy document', () => {
  it('says the same in today’s form', () => {
    expect(upgradePolicy(first)).toEqual({
      block: { fixable: 'high', unfixable: 'off' },
      warn: { fixable: 'high', unfixable: 'critical' },
      severitySources: ['nvd'],
      unknownSeverity: 'low',
      unscanned: 'wait',
      unscannable: 'block',
      endOfLife: 'warn',
      advisorySample: 'warn',
      strictIndex: true,
      gateBlobs: false,
      graceDays: { fixable: first.graceDays, unfixable: first.graceDays },
      kev: { action: 'block' },
      epss: { threshold: 0.5, action: 'block' },
      advisoryAge: { days: 14, action: 'block' },
      counting: {
        willNotFix: 'ignore',
        fixDeferred: 'count',
        underInvestigation: 'count',
        endOfLife: 'ignore',
      },
    });
  });

  it('keeps that there was no limit', () => {
    expect(upgradePolicy({ epss: null, epssAction: 'warn', advisoryAgeDays: null, advisoryAge: 'warn' })).toEqual({
      epss: { threshold: null, action: 'warn' },
      advisoryAge: { days: null, action: 'warn' },
    });
  });

  it('has nothing added that it does not say', () => {
    expect(upgradePolicy({})).toEqual({});
    expect(upgradePolicy({ strictIndex: true })).toEqual({ strictIndex: true });
  });

  it('is left alone when it has today’s form', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        expect(upgradePolicy(policy)).toEqual(policy);
      }),
    );
  });
});
