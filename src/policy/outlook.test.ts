import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../model/verdict.ts';
import { digestOf } from '../oci/digest.ts';
import { why } from './explain.ts';
import { decide, judge } from './judge.ts';
import { type IndexChild, judgeIndex } from './judge-index.ts';
import type { JudgeInput } from './judge-input.ts';
import { aFinding, anException, anInput, DAY, inputs, NOW } from './judging.testing.ts';
import { withOutlook } from './outlook.ts';
import { defaultPolicy, type Policy } from './policy.ts';

const blockHigh: Policy = { ...defaultPolicy, block: { fixable: 'high', unfixable: 'critical' } };
const judged = (input: JudgeInput): Verdict => withOutlook(decide(input));
const excepted = anInput({ policy: blockHigh, findings: [aFinding()], exceptions: [anException({ until: NOW + 5 })] });

describe('what becomes of a verdict', () => {
  it('is told to the millisecond at which an exception ends, in the words it has then', () => {
    const verdict = judged(excepted);
    const then = judge({ ...excepted, now: NOW + 5 });
    expect([verdict.kind, verdict.changesAt]).toEqual(['allow', NOW + 5]);
    expect(verdict.becomes).toEqual([{ at: NOW + 5, kind: 'block', sentence: why(then) }]);
    expect(then).toMatchObject({ kind: 'block' });
    expect(judge({ ...excepted, now: NOW + 4 }).kind).toBe('allow');
  });

  it('is not told where only reasons change, where nothing does, or far ahead', () => {
    expect(judged(anInput()).becomes).toBeUndefined();
    const other = aFinding({ id: 'CVE-2024-0002', name: 'zlib', advisories: [] });
    expect(judged({ ...excepted, findings: [aFinding(), other] })).toMatchObject({ kind: 'block', changesAt: NOW + 5 });
    expect(judged({ ...excepted, findings: [aFinding(), other] }).becomes).toBeUndefined();
    const long = [anException({ until: NOW + 500 * DAY })];
    expect(judged({ ...excepted, exceptions: long }).becomes).toBeUndefined();
  });

  it('is what judging at that moment says, and nothing else happens to its kind before', () => {
    let told = 0;
    const blocked: boolean[] = [];
    fc.assert(
      fc.property(inputs, fc.integer({ min: 0, max: 60 * 24 }), (input, hours) => {
        const verdict = judged(input);
        const steps = verdict.becomes ?? [];
        const at = NOW + hours * (DAY / 24);
        const kindAt = (moment: number) => steps.findLast((step) => step.at <= moment)?.kind ?? verdict.kind;
        for (const step of steps) {
          told += 1;
          const then = judge({ ...input, now: step.at });
          expect([then.kind, why(then).slice(0, 400)]).toEqual([step.kind, step.sentence.slice(0, 400)]);
          expect(judge({ ...input, now: step.at - 1 }).kind).toBe(kindAt(step.at - 1));
        }
        // Bounded: after the last one of a full list nothing is promised, and what blocks may be milder by then.
        const then = judge({ ...input, now: at }).kind;
        if (steps.length < 4 && kindAt(at) !== 'block') expect(then).toBe(kindAt(at));
        else if (steps.length < 4) blocked.push(then === 'block');
      }),
      { numRuns: 2000 },
    );
    expect(told).toBeGreaterThan(100);
    expect(blocked.filter(Boolean).length / blocked.length).toBeGreaterThan(0.9);
  });

  it('is told however many changes lie before it that leave the kind as it is', () => {
    const findings = Array.from({ length: 40 }, (_, at) =>
      aFinding({
        id: `CVE-2024-${1000 + at}`,
        severities: [{ source: 'nvd', severity: at === 39 ? 'high' : 'medium' }],
      }),
    );
    const exceptions = findings.map(({ id }, at) =>
      anException({ id: `e${at}`, vulnerability: id, until: NOW + (at + 1) * DAY }),
    );
    const policy: Policy = { ...blockHigh, warn: { fixable: 'medium', unfixable: 'medium' } };
    expect(judged(anInput({ policy, findings, exceptions })).becomes?.map(({ at, kind }) => [at, kind])).toEqual([
      [NOW + DAY, 'warn'],
      [NOW + 40 * DAY, 'block'],
    ]);
  });

  it('of an index follows from its children', () => {
    const child = (name: string, until: number): IndexChild => {
      const exceptions = [anException({ until })];
      const verdict = judged({ ...excepted, subject: digestOf(name), exceptions });
      return { digest: digestOf(name), platform: `linux/${name}`, state: 'runnable', verdict };
    };
    const index = (strictIndex: boolean) =>
      judgeIndex({
        subject: digestOf('index'),
        children: [child('amd64', NOW + 5), child('arm64', NOW + 9)],
        policy: { ...blockHigh, strictIndex },
        policyVersion: 1,
        advisories: 'v',
        now: NOW,
      });
    expect(index(false).becomes?.map(({ at, kind }) => [at, kind])).toEqual([
      [NOW + 5, 'warn'],
      [NOW + 9, 'block'],
    ]);
    expect(index(true).becomes).toMatchObject([
      { at: NOW + 5, kind: 'block', sentence: expect.stringContaining('CVE-2024-0001') },
    ]);
  });
});
