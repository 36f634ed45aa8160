import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reason, Verdict, VerdictKind } from '../model/verdict.ts';
import { digestOf } from '../oci/digest.ts';
import { why } from './explain.ts';
import { judgeArtifact } from './judge-artifact.ts';
import { judgeIndex } from './judge-index.ts';
import { refusal } from './messages.ts';
import { defaultPolicy } from './policy.ts';
import { type QuarantineHit, quarantineOf, underQuarantine } from './quarantine.ts';

const NOW = Date.parse('2026-11-29T10:00:00Z');
const hit: QuarantineHit = {
  id: 'q1',
  target: 'pkg:npm/event-stream@3.3.6',
  since: NOW,
  reason: 'the release was taken over',
  ticket: 'INC-42',
  package: { name: 'event-stream', version: '3.3.6' },
};
const artifact = judgeArtifact({ subject: digestOf('a'), policyVersion: 1, advisories: '', now: NOW });

const reason: fc.Arbitrary<Reason> = fc.record({
  rule: fc.constantFrom('severity-fixable', 'kev', 'end-of-life', 'platform', 'unscannable'),
  kind: fc.constantFrom<VerdictKind>('allow', 'warn', 'block'),
  severity: fc.constantFrom('none', 'high', 'critical'),
  message: fc.string(),
  source: fc.constant('test'),
});
const verdict: fc.Arbitrary<Verdict> = fc
  .record({
    kind: fc.constantFrom<VerdictKind>('allow', 'warn', 'block'),
    reasons: fc.array(reason),
  })
  .map((parts) => ({ ...artifact, ...parts }));
const hits = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    target: fc.string(),
    since: fc.integer({ min: 0, max: NOW }),
    reason: fc.string({ minLength: 1 }),
    ticket: fc.string({ minLength: 1 }),
  }),
  { minLength: 1, selector: ({ id }) => id },
);

describe('a verdict under quarantine', () => {
  it('is blocked whatever it was, its worst line says so, and the others stay listed', () => {
    fc.assert(
      fc.property(verdict, hits, (before, found) => {
        const after = underQuarantine(before, found);
        expect(after.kind).toBe('block');
        expect(after.reasons[0]?.rule).toBe('quarantine');
        expect(quarantineOf(after)).toBe(after.reasons[0]);
        expect(after.reasons.filter(({ rule }) => rule !== 'quarantine')).toHaveLength(before.reasons.length);
        expect(after.inputs.quarantine).not.toBe(before.inputs.quarantine);
        expect(underQuarantine(before, found.toReversed())).toEqual(after);
      }),
    );
  });

  it('is the same verdict where nothing concerns it', () => {
    expect(underQuarantine(artifact, [])).toBe(artifact);
    expect(quarantineOf({ ...artifact, kind: 'block' })).toBeUndefined();
  });

  it('names package, time, ticket and reason, and offers no exception', () => {
    const blocked = underQuarantine(artifact, [hit]);
    expect(why(blocked)).toBe(
      'event-stream 3.3.6 in it is quarantined since 2026-11-29T10:00:00Z (INC-42): the release was taken over',
    );
    const message = refusal(blocked, { image: 'front/app:1', policy: defaultPolicy });
    expect(message).toMatch(/^front\/app:1 cannot be pulled: event-stream 3\.3\.6 in it is quarantined/);
    expect(message).not.toMatch(/allowlist|exception request/);
  });

  it('puts foreign text on one line of bounded length', () => {
    const loud = underQuarantine(artifact, [{ ...hit, reason: `a\r\nb\u202e${'x'.repeat(3000)}`, ticket: 'T\n1' }]);
    expect(loud.reasons[0]?.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(loud.reasons[0]?.message.length).toBeLessThan(500);
  });

  it('of one platform leaves the others of an index', () => {
    const child = (name: string, of: Verdict) => ({
      digest: digestOf(name),
      platform: `linux/${name}`,
      state: 'runnable' as const,
      verdict: of,
    });
    const judged = (children: Parameters<typeof judgeIndex>[0]['children']) =>
      judgeIndex({
        subject: digestOf('i'),
        children,
        policy: defaultPolicy,
        policyVersion: 1,
        advisories: '',
        now: NOW,
      });
    const under = underQuarantine(artifact, [hit]);
    expect(judged([child('amd64', under), child('arm64', artifact)]).kind).toBe('warn');
    const whole = judged([child('amd64', under), child('arm64', under)]);
    expect(whole.kind).toBe('block');
    expect(quarantineOf(whole)).toBeDefined();
    expect(whole.inputs.quarantine).toBeDefined();
    expect(judged([child('amd64', artifact)]).inputs.quarantine).toBeUndefined();
  });
});
