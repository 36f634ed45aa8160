import { describe, expect, it } from 'vitest';
import { sarifValidator } from '../../../test/schemas/validators.ts';
import { lintConstraint } from '../../constraints/lint/lint.ts';
import { lintSarif, type PlacedFinding } from './lint-report.ts';

const LISTS: readonly [kind: string, spec: Record<string, unknown>][] = [
  [
    'K8sAllowedRepos',
    { parameters: { repos: ['harbor.io', 'harbor.io/p/', 'nginx', '', 'https://x', 1, '"<\u0007'] } },
  ],
  ['K8sAllowedRepos', { enforcementAction: 'wran', match: { kinds: [{ apiGroups: [''], kinds: ['Pods'] }] } }],
  ['K8sDisallowedRepos', { parameters: { repos: ['evil.io', 'docker.io/evil/'] } }],
  ['K8sDisallowedTags', { parameters: { tags: [':latest', 'a/b'], exemptImages: ['*'] } }],
  ['K8sImageDigests', { parameters: { exemptImages: ['*', 'x@sha256:1'] }, match: { namespaces: ['*a*b'] } }],
];

describe('SARIF of guard lint', () => {
  const valid = sarifValidator();
  const found = LISTS.flatMap(([kind, spec], at): PlacedFinding[] => {
    const linted = lintConstraint(
      {
        apiVersion: 'constraints.gatekeeper.sh/v1beta1',
        kind,
        metadata: { name: `c-${at}` },
        spec,
      },
      { as: 'gatekeeper' },
    );
    return (linted?.findings ?? []).map((one) => ({ ...one, constraint: { kind, name: `c-${at}` } }));
  });

  it('is what the official schema asks for: without findings, of a cluster, and of files with odd names', () => {
    expect(found.length).toBeGreaterThan(10);
    expect(valid(lintSarif({ constraints: 0, findings: [] }))).toEqual([]);
    expect(valid(lintSarif({ constraints: LISTS.length, findings: found }))).toEqual([]);
    const placed = found.map((one) => ({ ...one, file: 'a b/ü%[1]#?.yaml', position: { line: 3, column: 1 } }));
    expect(valid(lintSarif({ constraints: LISTS.length, findings: placed }))).toEqual([]);
  });

  it('names each rule once, and every finding by its rule', () => {
    const [run] = lintSarif({ constraints: LISTS.length, findings: found }).runs;
    const rules = run?.tool.driver.rules?.map(({ id }) => id) ?? [];
    expect(new Set(rules).size).toBe(rules.length);
    const results = run?.results ?? [];
    expect(results.map(({ ruleIndex }) => rules[ruleIndex ?? -1])).toEqual(results.map(({ ruleId }) => ruleId));
  });
});
