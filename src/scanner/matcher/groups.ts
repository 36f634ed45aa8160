import { sortIds } from './ids.ts';
import type { AdvisoryStatement } from './lookup.ts';

/** A statement, and by which of the package's names it speaks of it. */
export interface Claim {
  readonly statement: AdvisoryStatement;
  /** Position among the names the package is advised on by. */
  readonly by: number;
}

/** All statements about one vulnerability of one package. */
export interface VulnerabilityGroup {
  /** Canonical first: CVE, then GHSA, then others. */
  readonly ids: readonly string[];
  readonly claims: readonly Claim[];
}

/**
 * Groups the statements about one package by vulnerability: two belong together when a chain of shared ids leads from
 * one to the other. The chain never leaves the package, so a wrong alias elsewhere in the world changes nothing here.
 */
export function groupByVulnerability(claims: readonly Claim[]): readonly VulnerabilityGroup[] {
  const parents = claims.map((_, i) => i);
  const owner = new Map<string, number>();
  for (const [i, { statement }] of claims.entries()) {
    for (const id of statement.ids) {
      const other = owner.get(id);
      if (other === undefined) owner.set(id, i);
      else parents[rootOf(parents, i)] = rootOf(parents, other);
    }
  }
  const groups = new Map<number, Claim[]>();
  for (const [i, claim] of claims.entries()) {
    const root = rootOf(parents, i);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [claim]);
    else group.push(claim);
  }
  return [...groups.values()].map((group) => ({
    ids: sortIds(group.flatMap(({ statement }) => statement.ids)),
    claims: group,
  }));
}

function rootOf(parents: number[], start: number): number {
  let at = start;
  for (let parent = parents[at] ?? at; parent !== at; parent = parents[at] ?? at) {
    parents[at] = parents[parent] ?? parent;
    at = parent;
  }
  return at;
}
