import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cycloneDxValidator } from '../../../test/schemas/validators.ts';
import type { Finding } from '../../model/finding.ts';
import { applyVex } from '../../scanner/vex/apply.ts';
import { parseVex } from '../../scanner/vex/parse.ts';
import type { VexStatement } from '../../scanner/vex/types.ts';
import { entry, NOW, stateOf } from './arbitrary.testing.ts';
import { VEX_FORMS } from './forms.ts';
import { vexDocument } from './index.ts';
import { type ExportedException, sayOf } from './said.ts';

function finding(over: Partial<Finding> = {}): Finding {
  return {
    id: 'CVE-2026-0001',
    aliases: [],
    package: {
      type: 'apk',
      name: 'openssl',
      version: '3.0',
      purl: 'pkg:apk/alpine/openssl@3.0?arch=x86_64',
      path: 'db',
    },
    installed: '3.0',
    status: 'affected',
    severities: [],
    advisories: [],
    source: 'test',
    ...over,
  };
}
const statement = (over: Partial<VexStatement>): VexStatement => ({
  vulnerabilities: ['CVE-2026-0001'],
  products: [],
  status: 'not_affected',
  author: 'Acme',
  at: NOW - 5,
  document: 'd',
  ...over,
});
const exception = (over: Partial<ExportedException> = {}): ExportedException => ({
  id: 'e',
  vulnerability: 'CVE-2026-0001',
  from: NOW - 1000,
  until: NOW + 86_400_000,
  reason: 'Only used off-line.',
  ...over,
});

describe('what is said of a finding', () => {
  const firstSeen = NOW - 10;
  const say = (over: Partial<Finding>, more: Partial<Parameters<typeof sayOf>[1]> = {}) =>
    sayOf(finding(over), { exceptions: [], firstSeen, ...more });

  it.each([
    ['a fix', { fixed: '3.5' }, 'affected', 'Upgrade openssl from 3.0 to 3.5.', 'upgrade'],
    ['a fix for subscribers', { subscriptionFix: '3.5' }, 'affected', 'needs a subscription', 'upgrade'],
    ['no fix', {}, 'affected', 'There is no fix for openssl yet', 'none_available'],
    ['no will to fix', { status: 'will_not_fix' as const }, 'affected', 'will not fix it', 'no_fix_planned'],
    ['a fix that was put off', { status: 'fix_deferred' as const }, 'affected', 'put the fix off', 'none_available'],
    ['the end of its release', { status: 'end_of_life' as const }, 'affected', 'no more fixes', 'no_fix_planned'],
    ['the attack in itself', { malicious: true as const, fixed: '4' }, 'affected', 'Remove openssl', 'none_available'],
  ] as const)('with %s', (_, over, status, action, remedy) => {
    expect(say(over)).toEqual({ status, action: expect.stringContaining(action), remedy, at: firstSeen });
  });

  it('is what its publisher looks into', () => {
    expect(say({ status: 'under_investigation' })).toEqual({ status: 'under_investigation', at: firstSeen });
  });

  it('is that a risk was accepted, and never that there is none', () => {
    expect(say({ fixed: '3.5' }, { exceptions: [exception()] })).toEqual({
      status: 'affected',
      action: 'Risk accepted until 2027-01-16: Only used off-line. Upgrade openssl from 3.0 to 3.5.',
      remedy: 'upgrade',
      at: NOW - 1000,
    });
    fc.assert(
      fc.property(fc.record({ fixed: fc.option(fc.string(), { nil: undefined }), reason: fc.string() }), (over) => {
        const { reason, fixed } = over;
        const said = say(fixed === undefined ? {} : { fixed }, { exceptions: [exception({ reason })] });
        expect(said.status).toBe('affected');
        expect(said.action).toBeTruthy();
      }),
    );
  });

  it('is that it is not affected where that was granted', () => {
    const notAffected = { justification: 'vulnerable_code_not_present' };
    expect(say({}, { exceptions: [exception({ notAffected })] })).toEqual({
      status: 'not_affected',
      justification: 'vulnerable_code_not_present',
      impact: 'Only used off-line.',
      at: NOW - 1000,
    });
  });

  it('is what a statement that counts says, an exception or not', () => {
    const given = { statement: statement({ justification: 'code_not_reachable' }), exceptions: [exception()] };
    expect(say({ fixed: '3.5' }, given)).toEqual({
      status: 'not_affected',
      justification: 'vulnerable_code_not_in_execute_path',
      impact: 'So says Acme.',
      at: NOW - 5,
    });
    expect(say({ fixed: '3.5' }, { statement: statement({ status: 'affected' }) })).toMatchObject({
      status: 'affected',
    });
    const spared = exception({ notAffected: {} });
    expect(say({}, { statement: statement({ status: 'affected' }), exceptions: [spared] }).status).toBe('affected');
  });
});

describe.each(VEX_FORMS)('documents in the form of %s', (form) => {
  it('are the same bytes for the same state, in whatever order it was gathered', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), fc.integer(), (entries, seed) => {
        const shuffled = entries.toSorted(
          (a, b) => ((JSON.stringify(a).length * seed) % 7) - ((JSON.stringify(b).length * seed) % 7),
        );
        expect(JSON.stringify(vexDocument(form, stateOf(shuffled)))).toBe(
          JSON.stringify(vexDocument(form, stateOf(entries))),
        );
      }),
    );
  });

  it('say of each finding what was to be said, when they are read again', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 12 }), (entries) => {
        const state = stateOf(entries);
        const document = vexDocument(form, state);
        const reading = parseVex(Buffer.from(JSON.stringify(document)), 'f');
        expect(reading.problems).toEqual([]);
        for (const { vulnerability, image: of, component, said: expected } of state.entries) {
          // Of several images CycloneDX has no word for what lies in which.
          if (form === 'cyclonedx' && new Set(state.entries.map((one) => one.image.purl)).size > 1) continue;
          const known = finding({
            id: vulnerability,
            package: {
              type: 'apk',
              name: component.name,
              version: component.version,
              purl: component.purl,
              path: 'db',
            },
          });
          const subject = { digests: [of.digest], names: [of.repository], purls: [] };
          expect(applyVex([known], reading.statements, subject)[0]?.vex?.status).toBe(expected.status);
        }
      }),
    );
  });
});

describe('CycloneDX', () => {
  it('is valid by the official schema', () => {
    const validate = cycloneDxValidator();
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
        expect(validate(vexDocument('cyclonedx', stateOf(entries)))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
