import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Tx } from '../db/database.ts';

/** What rows of the list are searched by, but for the vulnerability. */
export interface Group {
  readonly repository: number;
  readonly package: number;
  readonly statuses: number;
  readonly traits: number;
}

/** By how many rows groups grow and shrink, and the newest `firstSeen` of a row that comes, in epoch ms. */
export type GroupChanges = Map<string, { readonly group: Group; rows: number; newest: number }>;

/** Notes that a row comes to a group. */
export function noteComing(changes: GroupChanges, group: Group, firstSeen: number): void {
  const change = changeOf(changes, group);
  change.rows += 1;
  change.newest = Math.max(change.newest, firstSeen);
}

/** Notes that a row leaves a group. */
export function noteLeaving(changes: GroupChanges, group: Group): void {
  changeOf(changes, group).rows -= 1;
}

function changeOf(changes: GroupChanges, group: Group) {
  const { repository, package: name, statuses, traits } = group;
  const key = `${repository} ${name} ${statuses} ${traits}`;
  const known = changes.get(key) ?? { group, rows: 0, newest: 0 };
  changes.set(key, known);
  return known;
}

/**
 * Writes how many rows there are in groups, and that none is newer than the newest that ever came. Groups of which no row is left go.
 */
export async function applyGroupChanges(tx: Tx, changes: GroupChanges): Promise<void> {
  const changed = [...changes.values()].filter(({ rows, newest }) => rows !== 0 || newest > 0);
  // In one order, so that two who change the same groups wait for each other and not both.
  changed.sort(({ group: a }, { group: b }) => inOrder(a, b));
  for (const batch of batches(changed)) {
    const rows = batch.map(
      ({ group: { repository, package: name, statuses, traits }, rows: more, newest }) =>
        sql`(${sql.join([repository, name, statuses, traits, more, newest])})`,
    );
    await sql`insert into finding_groups (repository, package, statuses, traits, findings, newest) values ${sql.join(rows)}
      on conflict (repository, package, statuses, traits) do update set
        findings = finding_groups.findings + excluded.findings,
        newest = case when excluded.newest > finding_groups.newest then excluded.newest else finding_groups.newest end`.execute(
      tx,
    );
  }
  const fewer = new Set(changed.filter(({ rows }) => rows < 0).map(({ group }) => group.repository));
  for (const repository of fewer)
    await tx.deleteFrom('finding_groups').where('repository', '=', repository).where('findings', '=', 0).execute();
}

function inOrder(a: Group, b: Group): number {
  return a.repository - b.repository || a.package - b.package || a.statuses - b.statuses || a.traits - b.traits;
}
