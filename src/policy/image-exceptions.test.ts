import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import type { GrantedException } from './exceptions.ts';
import { explain } from './explain.ts';
import { judge } from './judge.ts';
import type { JudgeInput } from './judge-input.ts';
import { anInput, DAY, fullCoverage, NOW, SUBJECT } from './judging.testing.ts';
import { defaultPolicy, type Policy } from './policy.ts';

const day = (moment: number): string => new Date(moment).toISOString().slice(0, 10);
const strict: Policy = { ...defaultPolicy, endOfLife: 'block', unscannable: 'block' };
const grant = (over: Partial<GrantedException> = {}): GrantedException => ({
  id: 'e1',
  rule: 'end-of-life',
  digest: SUBJECT,
  from: NOW - DAY,
  until: NOW + DAY,
  ...over,
});
const old = (over: Partial<JudgeInput> = {}): JudgeInput =>
  anInput({
    policy: strict,
    coverage: { ...fullCoverage, distribution: { ...fullCoverage.distribution, endOfLife: day(NOW - 9 * DAY) } },
    ...over,
  });

describe('exceptions from rules about an image', () => {
  it('take nothing but their rule out of the verdict, and leave it listed with what took it out', () => {
    expect(judge(old()).kind).toBe('block');
    const verdict = judge(old({ exceptions: [grant()] }));
    expect(verdict).toMatchObject({
      kind: 'allow',
      changesAt: NOW + DAY,
      reasons: [{ rule: 'end-of-life', kind: 'allow', suppressedBy: { exception: 'e1', until: NOW + DAY } }],
    });
    expect(verdict.reasons[0]?.message).toMatch(/excepted until .* by exception e1$/);
    const unreadable = { ...anInput().inventory, complete: false };
    expect(judge(old({ exceptions: [grant()], inventory: unreadable })).kind).toBe('block');
    const both = [grant(), grant({ id: 'e2', rule: 'unscannable' })];
    const allowed = judge(old({ exceptions: both, inventory: unreadable }));
    expect(allowed.kind).toBe('allow');
    // Nobody knows what is in it: it is not called free of vulnerabilities.
    expect(explain(allowed)).toMatch(/^allowed: the image could not be read completely.*excepted until/);
  });

  it.each([
    ['over', { until: NOW }],
    ['not yet in force', { from: NOW + 1 }],
    ['of another image', { digest: digestOf('another') }],
    ['of another rule', { rule: 'unscannable' as const }],
    ['of another repository', { repository: 'other' }],
    ['of another platform', { platform: 'linux/arm64' }],
  ])('%s: nothing', (_name, over) => {
    const [{ kind, reasons }, without] = [judge(old({ exceptions: [grant(over)] })), judge(old())];
    expect({ kind, reasons }).toEqual({ kind: without.kind, reasons: without.reasons });
  });

  it('are told from when on they change something, and not when they change nothing', () => {
    expect(judge(old({ exceptions: [grant({ from: NOW + 7 })] })).changesAt).toBe(NOW + 7);
    expect(judge(anInput({ policy: strict, exceptions: [grant()] })).changesAt).toBeUndefined();
    const later = { ...fullCoverage, distribution: { ...fullCoverage.distribution, endOfLife: day(NOW + 3 * DAY) } };
    expect(judge(old({ coverage: later, exceptions: [grant()] })).changesAt).toBe(Date.parse(day(NOW + 3 * DAY)));
  });
});
