import { describe, expect, it } from 'vitest';
import type { Reason, Verdict } from '../model/verdict.ts';
import { digestOf } from '../oci/digest.ts';
import { causeDetailOf } from './cause-detail.ts';

const inputs = { inventory: 'i1', advisories: 'a1', policy: 1, exceptions: '', vex: '', clocks: '' };
const line = (more: Partial<Reason>): Reason => ({
  rule: 'severity-fixable',
  kind: 'block',
  severity: 'high',
  message: 'm',
  source: 's',
  ...more,
});
const verdict = (judgedAt: number, reasons: readonly Reason[], more: Partial<typeof inputs> = {}): Verdict => ({
  kind: 'warn',
  subject: digestOf('x'),
  reasons,
  counts: { total: 0, fixable: 0, suppressed: 0, bySeverity: {} as Verdict['counts']['bySeverity'] },
  inputs: { ...inputs, ...more },
  judgedAt,
});

describe('what is behind a verdict that differs', () => {
  it('names both versions of everything that changed, and nothing else', () => {
    const [before, after] = [verdict(1, []), verdict(2, [], { policy: 4, advisories: 'a2' })];
    expect(causeDetailOf(before, after, { added: [], removed: [] })).toEqual({
      policy: { from: 1, to: 4 },
      advisories: { from: 'a1', to: 'a2' },
    });
  });

  it('names exceptions that begin and end, and the moments that passed', () => {
    const excepted = line({ kind: 'allow', suppressedBy: { exception: 'e1', until: 15 } });
    const again = line({ deadline: 5 });
    const grace = line({ vulnerability: 'CVE-2', deadline: 12 });
    const begun = line({ vulnerability: 'CVE-3', suppressedBy: { exception: 'e2', until: 99 } });
    const [before, after] = [verdict(10, [excepted]), verdict(20, [again, grace, begun])];
    const found = causeDetailOf(before, after, { added: [again, grace, begun], removed: [excepted] });
    expect(found).toEqual({ exceptions: { begun: ['e2'], ended: ['e1'] }, moments: [12, 15] });
  });

  it('names an exception that lasts longer in the place of one that counts still, which has not ended', () => {
    const by = (exception: string, until: number) => line({ kind: 'allow', suppressedBy: { exception, until } });
    const detail = (from: Reason, to: Reason) =>
      causeDetailOf(verdict(10, [from]), verdict(20, [to]), { added: [to], removed: [from] });
    expect(detail(by('e1', 50), by('e2', 99))).toEqual({
      exceptions: { begun: [], ended: [], replaced: [{ from: 'e1', to: 'e2' }] },
    });
    expect(detail(by('e1', 15), by('e2', 99))).toEqual({ exceptions: { begun: ['e2'], ended: ['e1'] }, moments: [15] });
    // It was revoked: else it would be named still.
    expect(detail(by('e1', 99), by('e2', 50))).toEqual({ exceptions: { begun: ['e2'], ended: ['e1'] } });
  });

  it('names VEX documents', () => {
    const vex = { status: 'not_affected' as const, author: 'a', document: 'doc-1' };
    const said = line({ kind: 'allow', vex });
    const found = causeDetailOf(verdict(1, []), verdict(2, [said]), { added: [said], removed: [] });
    expect(found).toEqual({ vex: { begun: ['doc-1'], ended: [] } });
  });
});
