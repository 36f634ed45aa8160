import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundWarnings, type Warning } from './warnings.ts';

const REPO = { name: 'require-harbor-repo', plural: 'k8sallowedrepos' };

function warning(text: string, constraint = REPO): Warning {
  return { constraint, text };
}

describe('warnings', () => {
  it('begin with the name of the constraint and are said once', () => {
    expect(boundWarnings([warning('a'), warning('b'), warning('a'), { text: 'a note' }])).toEqual([
      '[require-harbor-repo] a',
      '[require-harbor-repo] b',
      'a note',
    ]);
    expect(boundWarnings([])).toEqual([]);
  });

  it('keep their order, stay below what the API server lets through, and end with how to list the rest', () => {
    const many = Array.from({ length: 60 }, (_, at) => warning(`${String(at).padStart(3, '0')} ${'x'.repeat(170)}`));
    const bounded = boundWarnings(many);
    const last = bounded.pop();
    expect(bounded).toEqual(many.slice(0, bounded.length).map(({ text }) => `[require-harbor-repo] ${text}`));
    expect(bounded.length).toBeGreaterThan(14);
    expect(last).toBe(
      `[require-harbor-repo] and ${60 - bounded.length} more: kubectl get k8sallowedrepos require-harbor-repo -ojson | jq .status.violations, or breakwater violations list`,
    );
  });

  it('use all the room where everything fits', () => {
    const four = Array.from({ length: 4 }, (_, at) => warning(`${at}${'x'.repeat(848)}`));
    expect(boundWarnings(four)).toHaveLength(4);
    expect(boundWarnings([...four, warning('y'.repeat(100))]).at(-1)).toContain('and 2 more');
  });

  it('what is left of several constraints is listed for all of them', () => {
    const many = Array.from({ length: 40 }, (_, at) => warning('x'.repeat(200), { ...REPO, name: `c${at}` }));
    expect(boundWarnings(many).at(-1)).toMatch(
      /^and \d+ more of \d+ constraints: kubectl get constraints -ojson \| jq '\.items\[\]\.status\.violations', or breakwater violations list$/,
    );
  });

  it('escape what would make them vanish', () => {
    expect(boundWarnings([warning('a\nb\u0000\u007f\u0085\u2028')])).toEqual([
      '[require-harbor-repo] a\\u000ab\\u0000\\u007f\\u0085\\u2028',
    ]);
  });

  it('leave exact ones alone, whatever there is beside them', () => {
    const exact = { ...warning('x'.repeat(9000)), exact: true };
    expect(boundWarnings([exact, warning('a'), exact])).toEqual([
      `[require-harbor-repo] ${exact.text}`,
      `[require-harbor-repo] ${exact.text}`,
      '[require-harbor-repo] a',
    ]);
  });

  it('whatever they are, they arrive: bounded, without controls, the number right', () => {
    const any = fc.record({ text: fc.string({ maxLength: 3000, unit: 'binary' }), name: fc.constantFrom('a', 'b') });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 40 }), (entries) => {
        const warnings = entries.map(({ text, name }) => warning(text, { ...REPO, name }));
        const bounded = boundWarnings(warnings);
        const total = bounded.reduce((sum, text) => sum + text.length, 0);
        expect(total).toBeLessThanOrEqual(3500);
        for (const text of bounded) expect(text).not.toMatch(/[\p{Cc}\p{Cs}]/u);
        const distinct = new Set(boundWarnings(warnings.map((one) => ({ ...one, exact: true })))).size;
        const [, rest] = /and (\d+) more/.exec(bounded.at(-1) ?? '') ?? [];
        if (rest === undefined) expect(bounded.length).toBeLessThanOrEqual(distinct);
        else expect(bounded.length - 1 + Number(rest)).toBeLessThanOrEqual(distinct);
      }),
    );
  });
});
