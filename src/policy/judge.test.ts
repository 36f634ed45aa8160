import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verdict, VerdictKind } from '../model/verdict.ts';
import type { Assessments } from './assess.ts';
import { decide, judge } from './judge.ts';
import type { JudgeInput } from './judge-input.ts';
import {
  aFinding,
  anException,
  anInput,
  DAY,
  findings,
  fullCoverage,
  graceOf,
  inputs,
  NOW,
  thresholds,
} from './judging.testing.ts';
import { defaultPolicy, type Policy } from './policy.ts';

const blockHigh: Policy = { ...defaultPolicy, block: { fixable: 'high', unfixable: 'critical' } };

function rank({ kind }: { readonly kind: VerdictKind }): number {
  return ['allow', 'warn', 'block'].indexOf(kind);
}

function kindsOf(verdict: Verdict): string[] {
  return verdict.reasons.map(
    ({ rule, kind, vulnerability, package: name }) => `${rule} ${kind} ${vulnerability} ${name}`,
  );
}

describe('judge', () => {
  it('allows an image without findings and says what that rests on', () => {
    const verdict = judge(anInput({ policy: blockHigh }));
    expect(verdict).toMatchObject({ kind: 'allow', reasons: [], counts: { total: 0 }, judgedAt: NOW });
    expect(verdict.inputs).toMatchObject({ policy: 1, inventory: anInput().inventory.hash });
    expect(verdict.changesAt).toBeUndefined();
  });

  it('blocks at and above the threshold, separately for fixable and unfixable', () => {
    const { fixed: _fixed, ...unfixed } = aFinding();
    expect(judge(anInput({ policy: blockHigh, findings: [aFinding()] })).kind).toBe('block');
    expect(judge(anInput({ policy: blockHigh, findings: [unfixed] })).kind).toBe('allow');
    const critical = { ...unfixed, severities: [{ source: 'nvd', severity: 'critical' as const }] };
    const verdict = judge(anInput({ policy: blockHigh, findings: [critical] }));
    expect(verdict.reasons).toMatchObject([{ rule: 'severity-unfixable', kind: 'block', severity: 'critical' }]);
  });

  it('takes the severity from the first source of the order that knows one, and keeps the others', () => {
    const severities = [
      { source: 'nvd', severity: 'critical' as const },
      { source: 'distribution:alpine', severity: 'unknown' as const },
      { source: 'cna:acme', severity: 'low' as const },
    ];
    const finding = aFinding({ severities });
    const byOrder = (severitySources: string[]) =>
      judge(
        anInput({
          policy: { ...blockHigh, warn: { fixable: 'none', unfixable: 'none' }, severitySources },
          findings: [finding],
        }),
      ).reasons[0];
    expect(byOrder(['distribution', 'cna', 'nvd'])).toMatchObject({
      severity: 'low',
      severitySource: 'cna:acme',
      kind: 'warn',
    });
    expect(byOrder(['nvd', 'cna'])).toMatchObject({ severity: 'critical', severitySource: 'nvd', kind: 'block' });
    expect(byOrder(['ghsa'])?.severitySource).toBe('nvd');
    expect(byOrder(['cna'])?.message).toBe(
      'CVE-2024-0001 in openssl 1.0-r0 (fixed in 1.0-r1): low (cna:acme); nvd says critical; distribution:alpine says unknown',
    );
    expect(byOrder(['cna'])?.severities).toHaveLength(3);
  });

  it("takes the distribution's own severity for its packages only", () => {
    const severities = [
      { source: 'distribution:alpine', severity: 'low' as const },
      { source: 'nvd', severity: 'critical' as const },
    ];
    const own = aFinding({ severities });
    const foreign = aFinding({ severities, package: { ...own.package, type: 'npm' } });
    expect(judge(anInput({ policy: blockHigh, findings: [own] })).kind).toBe('allow');
    expect(judge(anInput({ policy: blockHigh, findings: [foreign] })).kind).toBe('block');
  });

  it.each([
    ['redhat', { id: 'rhel', idLike: ['fedora'] }],
    ['redhat', { id: 'almalinux', idLike: ['rhel', 'centos', 'fedora'] }],
    ['debian', { id: 'raspbian', idLike: ['debian'] }],
    ['opensuse', { id: 'opensuse-leap', idLike: ['suse', 'opensuse'] }],
    ['suse', { id: 'sles', idLike: [] }],
  ])('knows %s as the publisher of %o', (publisher, named) => {
    const severities = [
      { source: `distribution:${publisher}`, severity: 'low' as const },
      { source: 'nvd', severity: 'critical' as const },
    ];
    const distribution = { ...named, rolling: false };
    const base = anInput({ policy: blockHigh, findings: [aFinding({ severities })] });
    expect(judge({ ...base, inventory: { ...base.inventory, distribution } }).kind).toBe('allow');
    const other = { id: 'other', idLike: [], rolling: false };
    expect(judge({ ...base, inventory: { ...base.inventory, distribution: other } }).kind).toBe('block');
  });

  it('lets an unknown severity count as the level the policy names', () => {
    const finding = aFinding({ severities: [] });
    expect(judge(anInput({ policy: blockHigh, findings: [finding] })).kind).toBe('allow');
    const strict = judge(anInput({ policy: { ...blockHigh, unknownSeverity: 'high' }, findings: [finding] }));
    expect(strict).toMatchObject({
      kind: 'block',
      reasons: [{ severity: 'unknown' }],
      counts: { bySeverity: { unknown: 1 } },
    });
  });

  it('only warns during the grace period, counted from the earliest sighting under any id, and blocks at its end', () => {
    const policy = { ...blockHigh, graceDays: graceOf({ high: 10 }) };
    const clocks = [
      { vulnerability: 'CVE-2024-0001', package: 'apk/openssl', firstSeen: NOW - DAY },
      { vulnerability: 'GHSA-1', package: 'apk/openssl', firstSeen: NOW - 4 * DAY },
    ];
    const input = anInput({ policy, clocks, findings: [aFinding({ aliases: ['GHSA-1'] })] });
    const deadline = NOW + 6 * DAY;
    expect(judge(input)).toMatchObject({
      kind: 'warn',
      changesAt: deadline,
      reasons: [{ deadline, firstSeen: NOW - 4 * DAY }],
    });
    expect(judge({ ...input, now: deadline - 1 }).kind).toBe('warn');
    expect(judge({ ...input, now: deadline })).toMatchObject({ kind: 'block', reasons: [{ deadline }] });
    expect(judge({ ...input, now: deadline }).changesAt).toBeUndefined();
  });

  it('applies an exception from its first millisecond to the one before its end, and still lists the line', () => {
    const exception = anException({ from: NOW, until: NOW + 1000 });
    const input = anInput({ policy: blockHigh, findings: [aFinding()], exceptions: [exception] });
    expect(judge({ ...input, now: NOW - 1 })).toMatchObject({ kind: 'block', changesAt: NOW });
    const granted = judge(input);
    expect(granted).toMatchObject({ kind: 'allow', changesAt: NOW + 1000, counts: { total: 0, suppressed: 1 } });
    expect(granted.reasons).toMatchObject([{ suppressedBy: { exception: 'exception-1', until: NOW + 1000 } }]);
    expect(judge({ ...input, now: NOW + 999 }).kind).toBe('allow');
    expect(judge({ ...input, now: NOW + 1000 })).toMatchObject({ kind: 'block', counts: { total: 1, suppressed: 0 } });
  });

  it('does not announce a change when one exception takes over from another and nothing asks for anything', () => {
    const policy = { ...blockHigh, warn: blockHigh.block };
    const findings = [aFinding({ severities: [{ source: 'nvd', severity: 'low' }] })];
    const exceptions = [
      anException({ until: NOW + DAY }),
      anException({ id: 'exception-2', from: NOW + DAY, until: NOW + 2 * DAY }),
    ];
    expect(judge(anInput({ policy, exceptions, findings })).changesAt).toBe(NOW + 2 * DAY);
  });

  it('blocks for known exploitation and likely exploitation whatever the severity', () => {
    const policy: Policy = {
      ...defaultPolicy,
      kev: { ...defaultPolicy.kev, action: 'block' },
      epss: { threshold: 0.5, action: 'block', holdDays: 0 },
    };
    const low = aFinding({
      severities: [{ source: 'nvd', severity: 'low' }],
      kev: '2024-01-02',
      epss: { probability: 0.5, percentile: 0.9 },
    });
    const verdict = judge(anInput({ policy, findings: [low] }));
    expect(verdict.reasons.map(({ rule, kind }) => [rule, kind])).toEqual([
      ['epss', 'block'],
      ['kev', 'block'],
    ]);
    expect(
      judge(anInput({ policy, findings: [{ ...low, epss: { probability: 0.49, percentile: 0.9 } }] })).reasons,
    ).toHaveLength(1);
  });

  it('leaves statuses out of the thresholds that the policy ignores, but not out of the counts', () => {
    const finding = aFinding({ status: 'will_not_fix' });
    const verdict = judge(
      anInput({
        policy: { ...blockHigh, counting: { ...blockHigh.counting, willNotFix: 'ignore' } },
        findings: [finding],
      }),
    );
    expect(verdict).toMatchObject({ kind: 'allow', reasons: [], counts: { total: 1 } });
    expect(judge(anInput({ findings: [aFinding({ status: 'not_affected' })] })).counts.total).toBe(0);
  });

  it.each([
    ['unimportant', { severities: [{ source: 'distribution:alpine', severity: 'negligible' as const }] }],
    ['kernelHeaders', { kernelHeaders: true as const }],
    ['fixDeferred', { status: 'fix_deferred' as const }],
  ])('leaves out what %s says, unless it is known to be exploited', (name, over) => {
    const counting = { ...defaultPolicy.counting, [name]: 'ignore' };
    const strict: Policy = { ...defaultPolicy, block: { fixable: 'none', unfixable: 'none' } };
    const input = anInput({ policy: strict, findings: [aFinding(over)] });
    expect(judge(input).kind).toBe('block');
    expect(judge({ ...input, policy: { ...strict, counting } })).toMatchObject({ kind: 'allow', counts: { total: 1 } });
    const kev: Policy = { ...strict, counting, kev: { ...strict.kev, action: 'block' } };
    const exploited = judge({ ...input, policy: kev, findings: [aFinding({ ...over, kev: '2024-01-02' })] });
    expect(exploited.reasons).toMatchObject([{ rule: 'kev', kind: 'block' }]);
  });

  it('takes away nothing from what is known to be exploited where the policy says so', () => {
    const vex = { status: 'not_affected' as const, author: 'acme', document: 'a.json' };
    const excepted = anInput({ findings: [aFinding({ kev: '2024-01-02' })], exceptions: [anException()] });
    const dismissed = anInput({ findings: [aFinding({ kev: '2024-01-02', vex })] });
    const overruling = (exceptions: boolean, ofVex: boolean): Policy => ({
      ...blockHigh,
      kev: { action: 'ignore', graceDays: 0, overrules: { exceptions, vex: ofVex } },
    });
    expect(judge({ ...excepted, policy: overruling(false, true) }).kind).toBe('allow');
    expect(judge({ ...excepted, policy: overruling(true, false) })).toMatchObject({
      kind: 'block',
      counts: { total: 1, suppressed: 0 },
    });
    expect(judge({ ...dismissed, policy: overruling(true, false) }).kind).toBe('allow');
    expect(judge({ ...dismissed, policy: overruling(false, true) })).toMatchObject({
      kind: 'block',
      counts: { suppressed: 0 },
    });
  });

  it('gives what is known to be exploited a grace period of its own', () => {
    const policy: Policy = { ...defaultPolicy, kev: { ...defaultPolicy.kev, action: 'block', graceDays: 3 } };
    const clocks = [{ vulnerability: 'CVE-2024-0001', package: 'apk/openssl', firstSeen: NOW - DAY }];
    const input = anInput({ policy, clocks, findings: [aFinding({ kev: '2024-01-02' })] });
    expect(judge(input)).toMatchObject({ kind: 'warn', changesAt: NOW + 2 * DAY });
    expect(judge({ ...input, now: NOW + 2 * DAY }).kind).toBe('block');
  });

  it('never calls an image clean that could not be read or recognised', () => {
    const unread = anInput({ inventory: { ...anInput().inventory, complete: false } });
    expect(judge({ ...unread, policy: blockHigh })).toMatchObject({
      kind: 'block',
      reasons: [{ rule: 'unscannable' }],
    });
    expect(judge(unread)).toMatchObject({ kind: 'warn', reasons: [{ rule: 'unscannable', kind: 'warn' }] });
    const unknown = anInput({ policy: blockHigh, coverage: { ...fullCoverage, distribution: { recognised: false } } });
    expect(judge(unknown)).toMatchObject({ kind: 'block', reasons: [{ rule: 'unscannable' }] });
    const hidden = anInput({ policy: blockHigh, inventory: { ...anInput().inventory, distributionPackages: 0 } });
    expect(judge(hidden)).toMatchObject({ kind: 'block', reasons: [{ rule: 'unscannable' }] });
    const ignoring = judge({ ...unread, policy: { ...blockHigh, unscannable: 'ignore' } });
    expect(ignoring).toMatchObject({ kind: 'allow', reasons: [{ rule: 'unscannable', kind: 'allow' }] });
  });

  it('says when the advisories are a sample, missing or old, and when the distribution is out of support', () => {
    const coverage = {
      ...fullCoverage,
      distribution: { recognised: true, name: 'Debian 10', endOfLife: '2024-06-30' },
      sources: [{ ecosystem: 'npm', feed: 'osv', completeness: 'sample' as const, records: 5 }],
      missing: ['Debian:10'],
    };
    const policy: Policy = { ...defaultPolicy, advisoryAge: { days: 7, action: 'warn' } };
    const verdict = judge(anInput({ coverage, policy, advisories: { version: 'v', builtAt: NOW - 8 * DAY } }));
    expect(verdict.kind).toBe('warn');
    expect(verdict.reasons.map((reason) => reason.rule)).toEqual([
      'end-of-life',
      'advisory-age',
      'advisory-sample',
      'advisory-sample',
    ]);
    expect(verdict.reasons.map((reason) => reason.message).join('\n')).toMatch(/sample.*breakwater db import/);
  });

  it('hashes only the exceptions that speak of a finding', () => {
    const input = anInput({ findings: [aFinding()], exceptions: [anException()] });
    const other = anException({ id: 'x', vulnerability: 'CVE-1999-1' });
    expect(judge({ ...input, exceptions: [other, anException()] })).toEqual(judge(input));
    expect(judge({ ...input, exceptions: [anException({ until: NOW + 2 })] }).inputs.exceptions).not.toBe(
      judge(input).inputs.exceptions,
    );
  });
});

describe('laws of judge', () => {
  it('equal inputs give equal verdicts, whatever the order of findings, exceptions, clocks and statements', () => {
    fc.assert(
      fc.property(inputs, fc.infiniteStream(fc.nat()), (input, numbers) => {
        const shuffled = <Item>(items: readonly Item[]) =>
          items
            .map((item) => ({ item, at: numbers.next().value ?? 0 }))
            .sort((a, b) => a.at - b.at)
            .map(({ item }) => item);
        const other: JudgeInput = {
          ...structuredClone(input),
          findings: shuffled(input.findings.map((entry) => ({ ...entry, severities: shuffled(entry.severities) }))),
          exceptions: shuffled(input.exceptions),
          clocks: shuffled(input.clocks),
        };
        expect(judge(other)).toEqual(judge(input));
        expect(JSON.stringify(judge(other))).toBe(JSON.stringify(judge(input)));
      }),
    );
  });

  it('gives what it gives without a memory, whatever other images and moments left in it', () => {
    const days = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(inputs, { minLength: 1, maxLength: 4 }), inputs, days, (images, shared, moments) => {
        const kept: Assessments = new Map();
        for (const day of moments)
          for (const image of [shared, ...images]) {
            const { findings, policy } = shared;
            for (const input of [image, { ...image, findings }, { ...image, findings, policy }]) {
              const then = { ...input, now: NOW + day * DAY };
              expect(judge(then, kept)).toEqual(judge(then));
            }
          }
      }),
    );
  });

  it('followed in time, step by step, is what judging gives at each moment', () => {
    const days = fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(inputs, days, fc.boolean(), (input, steps, exactly) => {
        const kept: Assessments = new Map();
        let decision = decide(input, kept);
        let now = input.now;
        for (const step of steps) {
          now = exactly ? (decision.changesAt ?? now) : now + step * DAY;
          decision = decision.later(now);
          const then = judge({ ...input, now });
          expect(decision.verdict()).toEqual(then);
          expect([decision.kind, decision.changesAt]).toEqual([then.kind, then.changesAt]);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('is as bad as its worst reason, and lists the worst first', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const verdict = judge(input);
        const ranks = verdict.reasons.map(rank);
        expect(rank(verdict)).toBe(Math.max(0, ...ranks));
        expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
      }),
    );
  });

  it('is never milder with an exception fewer', () => {
    fc.assert(
      fc.property(inputs, fc.nat(), (input, at) => {
        const fewer = input.exceptions.filter((_, index) => index !== at % Math.max(1, input.exceptions.length));
        expect(rank(judge({ ...input, exceptions: fewer }))).toBeGreaterThanOrEqual(rank(judge(input)));
      }),
    );
  });

  it('is never milder with a finding more', () => {
    fc.assert(
      fc.property(inputs, findings, (input, more) => {
        const added = judge({ ...input, findings: [...input.findings, ...more] });
        expect(rank(added)).toBeGreaterThanOrEqual(rank(judge(input)));
      }),
    );
  });

  it('is never milder with a lower threshold or a shorter grace period', () => {
    const which = fc.constantFrom('block' as const, 'warn' as const);
    const fixability = fc.constantFrom('fixable' as const, 'unfixable' as const);
    fc.assert(
      fc.property(inputs, which, fixability, fc.nat(5), (input, kind, part, steps) => {
        const from = thresholds.indexOf(input.policy[kind][part]);
        const lower = thresholds[Math.min(thresholds.length - 1, from + steps)] ?? 'none';
        const policy = { ...input.policy, [kind]: { ...input.policy[kind], [part]: lower } };
        expect(rank(judge({ ...input, policy }))).toBeGreaterThanOrEqual(rank(judge(input)));
        const graceDays = graceOf({});
        const hurried = judge({ ...input, policy: { ...input.policy, graceDays } });
        expect(rank(hurried)).toBeGreaterThanOrEqual(rank(judge(input)));
      }),
    );
  });

  it('keeps its lines until the millisecond before changesAt, and then has others', () => {
    let changing = 0;
    fc.assert(
      fc.property(inputs, fc.double({ min: 0, max: 1, noNaN: true }), (input, part) => {
        const verdict = judge(input);
        const { changesAt } = verdict;
        const until = changesAt ?? NOW + 4000 * DAY;
        expect(until).toBeGreaterThan(NOW);
        for (const now of [until - 1, NOW + Math.floor((until - 1 - NOW) * part)]) {
          const later = judge({ ...input, now });
          expect({ ...later, judgedAt: NOW }).toEqual(verdict);
        }
        if (changesAt === undefined) return;
        changing += 1;
        const after = judge({ ...input, now: changesAt });
        expect([kindsOf(after), after.counts, after.reasons]).not.toEqual([
          kindsOf(verdict),
          verdict.counts,
          verdict.reasons,
        ]);
      }),
    );
    expect(changing).toBeGreaterThan(10);
  });
});
