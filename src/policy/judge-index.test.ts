import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VerdictKind } from '../model/verdict.ts';
import { digestOf } from '../oci/digest.ts';
import { judge } from './judge.ts';
import { judgeArtifact } from './judge-artifact.ts';
import { type IndexChild, judgeIndex } from './judge-index.ts';
import { aFinding, anInput, DAY, graceOf, NOW } from './judging.testing.ts';
import { defaultPolicy, type Policy } from './policy.ts';

const policies: Record<VerdictKind, Policy> = {
  allow: { ...defaultPolicy, warn: { fixable: 'off', unfixable: 'off' } },
  warn: { ...defaultPolicy, warn: { fixable: 'none', unfixable: 'off' } },
  block: { ...defaultPolicy, block: { fixable: 'none', unfixable: 'off' } },
};

function child(kind: VerdictKind | 'pending' | 'other' | 'absent', platform = 'linux/amd64'): IndexChild {
  const digest = digestOf(`${kind} ${platform}`);
  if (kind === 'other' || kind === 'absent') return { digest, platform, state: kind };
  if (kind === 'pending') return { digest, platform, state: 'runnable' };
  const verdict = judge(anInput({ subject: digest, policy: policies[kind], findings: [aFinding()] }));
  return { digest, platform, state: 'runnable', verdict };
}

function judged(children: readonly IndexChild[], strictIndex = false) {
  const policy = { ...defaultPolicy, strictIndex };
  return judgeIndex({ subject: digestOf('index'), children, policy, policyVersion: 3, advisories: 'v', now: NOW });
}

describe('judgeIndex', () => {
  it.each([
    ['all blocked', ['block', 'block', 'other'], 'block', 'block'],
    ['one blocked', ['block', 'allow'], 'warn', 'block'],
    ['one blocked, one not judged', ['block', 'pending'], 'warn', 'block'],
    ['one blocked, the rest not here', ['block', 'absent'], 'block', 'block'],
    ['one warned', ['warn', 'allow'], 'warn', 'warn'],
    ['all allowed', ['allow', 'allow'], 'allow', 'allow'],
    ['nothing judged', ['pending'], 'warn', 'warn'],
    ['nothing here', ['absent', 'absent'], 'allow', 'allow'],
    ['nothing that runs', ['other'], 'allow', 'allow'],
  ] as const)('%s', (_name, kinds, plain, strict) => {
    const children = kinds.map((kind, at) => child(kind, `linux/${at}`));
    expect(judged(children).kind).toBe(plain);
    expect(judged(children, true).kind).toBe(strict);
  });

  it('names each platform, and each finding once', () => {
    const verdict = judged([child('block', 'linux/amd64'), child('block', 'linux/arm64'), child('other')]);
    expect(verdict.reasons.map((reason) => [reason.rule, reason.kind])).toEqual([
      ['platform', 'block'],
      ['platform', 'block'],
      ['severity-fixable', 'block'],
    ]);
    expect(verdict.reasons[0]?.message).toMatch(/^linux\/amd64: blocked: CVE-2024-0001 in openssl/);
    expect(verdict.counts.total).toBe(1);
    expect(verdict.inputs).toMatchObject({ policy: 3, advisories: 'v' });
  });

  it('is never called clean by accident', () => {
    expect(judged([child('other')]).reasons).toMatchObject([{ rule: 'not-runnable', kind: 'allow' }]);
    expect(judged([]).reasons).toMatchObject([{ rule: 'not-runnable' }]);
    expect(judged([child('absent')]).reasons.map((reason) => reason.rule)).toEqual(['platform', 'not-runnable']);
  });

  it('changes when the first of its children does', () => {
    const policy = { ...policies.block, graceDays: graceOf({ low: 5, medium: 5, high: 5 }) };
    const early = judge(anInput({ policy, findings: [aFinding()] }));
    const verdict = judged([child('allow'), { digest: digestOf('e'), state: 'runnable', verdict: early }]);
    expect(verdict).toMatchObject({ kind: 'warn', changesAt: NOW + 5 * DAY });
  });

  it('does not depend on the order of its children, and asks for no more than its worst child', () => {
    const kinds = fc.constantFrom('allow', 'warn', 'block', 'pending', 'other', 'absent' as const);
    fc.assert(
      fc.property(fc.uniqueArray(kinds), fc.boolean(), (list, strict) => {
        const children = list.map((kind) => child(kind));
        const verdict = judged(children, strict);
        expect(judged([...children].reverse(), strict)).toEqual(verdict);
        for (const reason of verdict.reasons)
          expect(['allow', 'warn', 'block'].indexOf(reason.kind)).toBeLessThanOrEqual(
            ['allow', 'warn', 'block'].indexOf(verdict.kind),
          );
        expect(verdict.kind === 'block').toBe(
          list.includes('block') && (strict || !/allow|warn|pending/.test(list.join())),
        );
      }),
    );
  });
});

describe('judgeArtifact', () => {
  it('allows and says that nothing was scanned', () => {
    const artifactType = 'application/vnd.cncf.helm.config.v1+json';
    const verdict = judgeArtifact({
      subject: digestOf('chart'),
      artifactType,
      policyVersion: 1,
      advisories: '',
      now: NOW,
    });
    expect(verdict).toMatchObject({ kind: 'allow', reasons: [{ rule: 'not-runnable' }] });
    expect(verdict.reasons[0]?.message).toContain(artifactType);
  });
});
