import { describe, expect, it } from 'vitest';
import { createRuleHistory, type RuleHistory } from './rule-history.ts';

const KIND = 'K8sAllowedRepos';
const HOUR = 3600_000;

function saw(
  history: RuleHistory,
  content: string,
  since: number | undefined,
  more: { uid?: string; now?: number } = {},
) {
  history.stands({ kind: KIND, name: 'c', uid: more.uid ?? 'u' }, { content, since, now: more.now ?? since ?? 0 });
}

function shown(history: RuleHistory): string {
  return history
    .versions(KIND, 'c')
    .map(({ from, content }) => `${content || '-'}@${from}`)
    .join(' ');
}

describe('what constraints said earlier', () => {
  it('keeps every change once, with the moment the API server noted', () => {
    const history = createRuleHistory();
    for (const [content, since] of [
      ['a', 1],
      ['a', 5],
      ['b', 7],
      ['b', 9],
      ['a', 11],
    ] as const)
      saw(history, content, since);
    expect(shown(history)).toBe('a@1 b@7 a@11');
    expect(history.versions(KIND, 'other')).toEqual([]);
  });

  it('takes the moment of its own clock where the noted one says nothing', () => {
    const history = createRuleHistory();
    saw(history, 'a', 10);
    saw(history, 'b', 3, { now: 20 });
    saw(history, 'c', undefined, { now: 30 });
    expect(shown(history)).toBe('a@10 b@20 c@30');
  });

  it('a constraint that is away for a moment was edited; one that is away for long was not there', () => {
    const history = createRuleHistory();
    saw(history, 'a', 0);
    history.gone(KIND, 'c', HOUR);
    saw(history, 'a', HOUR + 30_000, { uid: 'u2' });
    expect(shown(history)).toBe('a@0');
    history.gone(KIND, 'c', 2 * HOUR);
    saw(history, 'a', 3 * HOUR, { uid: 'u3' });
    expect(shown(history)).toBe(`a@0 -@${2 * HOUR} a@${3 * HOUR}`);
  });

  it('one that was made anew while nobody looked is another rule', () => {
    const history = createRuleHistory();
    saw(history, 'a', 0);
    saw(history, 'a', HOUR, { uid: 'u2' });
    expect(shown(history)).toBe(`a@${HOUR}`);
  });

  it('no number of edits moves the first version: the shortest ones are forgotten', () => {
    const history = createRuleHistory();
    saw(history, 'first', 0);
    for (let at = 0; at < 500; at += 1) saw(history, `edit-${at}`, HOUR + at);
    const versions = history.versions(KIND, 'c');
    expect(versions.length).toBeLessThanOrEqual(16);
    expect(versions[0]).toEqual({ from: 0, content: 'first' });
    expect(versions.at(-1)?.content).toBe('edit-499');
  });

  it('holds a bounded amount of text, and always what is in force', () => {
    const history = createRuleHistory(1000);
    for (let at = 0; at < 100; at += 1) saw(history, `${at}`.padEnd(300, 'x'), at);
    const versions = history.versions(KIND, 'c');
    expect(versions.slice(0, -1).reduce((sum, { content }) => sum + content.length, 0)).toBeLessThanOrEqual(1000);
    expect(versions.at(-1)?.content).toMatch(/^99x/);
  });

  it('a replica that starts takes over the moments of those that saw the changes', () => {
    const old = createRuleHistory();
    for (const [content, since] of [
      ['deny', 1],
      ['warn', 5],
      ['deny', 9],
    ] as const)
      saw(old, content, since);
    const saved: unknown = JSON.parse(JSON.stringify(old.save()));
    const late = createRuleHistory();
    // A label that came later has moved the only moment that the API server tells.
    saw(late, 'deny', 20);
    late.load(saved);
    expect(shown(late)).toBe('deny@1 warn@5 deny@9');
    const first = createRuleHistory();
    first.load(saved);
    saw(first, 'deny', 20);
    expect(shown(first)).toBe('deny@1 warn@5 deny@9');
  });

  it('what stands there now was seen, whatever a snapshot says', () => {
    const old = createRuleHistory();
    for (const [content, since] of [
      ['a', 3],
      ['b', 5],
    ] as const)
      saw(old, content, since);
    const late = createRuleHistory();
    saw(late, 'a', 1);
    late.load(old.save());
    expect(shown(late)).toBe('a@1 b@5 a@5');
    const other = createRuleHistory();
    saw(other, 'a', 1, { uid: 'u2' });
    other.load(old.save());
    expect(shown(other)).toBe('a@1');
  });

  it('passes over what it cannot read', () => {
    const history = createRuleHistory();
    for (const rules of ['x', [5], [['k']], [['k', 'u', [['soon', 'a'], [1], [Number.NaN, 'a']]]]])
      history.load({ rules });
    for (const value of [undefined, null, 'x', {}]) history.load(value);
    expect(history.save()).toEqual({ version: 1, rules: [] });
  });
});
