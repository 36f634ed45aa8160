import { sortIds } from './ids.ts';
import type { AdvisoryStatement } from './lookup.ts';

/** All statements about one vulnerability of one package. */
export interface VulnerabilityGroup {
  /** Canonical first: CVE, then GHSA, then others. */
  readonly ids: readonly string[];
  readonly statements: readonly AdvisoryStatement[];
}

/**
 * Groups the statements about one package by vulnerability: two belong together when a chain of shared ids leads from
 * one to the other. The chain never leaves the package, so a wrong alias elsewhere in the world changes nothing here.
 */
export function groupByVulnerability(statements: readonly AdvisoryStatement[]): readonly VulnerabilityGroup[] {
  const parents = statements.map((_, i) => i);
  const owner = new Map<string, number>();
  for (const [i, { ids }] of statements.entries()) {
    for (const id of ids) {
      const other = owner.get(id);
      if (other === undefined) owner.set(id, i);
      else parents[rootOf(parents, i)] = rootOf(parents, other);
    }
  }
  const groups = new Map<number, AdvisoryStatement[]>();
  for (const [i, statement] of statements.entries()) {
    const root = rootOf(parents, i);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [statement]);
    else group.push(statement);
  }
  return [...groups.values()].map((group) => ({ ids: sortIds(group.flatMap(({ ids }) => ids)), statements: group }));
}

function rootOf(parents: number[], start: number): number {
  let at = start;
  for (let parent = parents[at] ?? at; parent !== at; parent = parents[at] ?? at) {
    parents[at] = parents[parent] ?? parent;
    at = parent;
  }
  return at;
}
