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

/** By how many rows groups grow and shrink. */
export type GroupChanges = Map<string, { readonly group: Group; rows: number }>;

/** Notes that a row comes to a group, or leaves it. */
export function noteGroup(changes: GroupChanges, group: Group, rows: 1 | -1): void {
  const { repository, package: name, statuses, traits } = group;
  const key = `${repository} ${name} ${statuses} ${traits}`;
  const known = changes.get(key);
  if (known) known.rows += rows;
  else changes.set(key, { group, rows });
}

/** Writes how many rows there are in groups. Those of which no row is left go. */
export async function applyGroupChanges(tx: Tx, changes: GroupChanges): Promise<void> {
  const changed = [...changes.values()].filter(({ rows }) => rows !== 0);
  // In one order, so that two who change the same groups wait for each other and not both.
  changed.sort(({ group: a }, { group: b }) => inOrder(a, b));
  for (const batch of batches(changed)) {
    const rows = batch.map(
      ({ group: { repository, package: name, statuses, traits }, rows: more }) =>
        sql`(${sql.join([repository, name, statuses, traits, more])})`,
    );
    await sql`insert into finding_groups (repository, package, statuses, traits, findings) values ${sql.join(rows)}
      on conflict (repository, package, statuses, traits) do update
        set findings = finding_groups.findings + excluded.findings`.execute(tx);
  }
  const fewer = new Set(changed.filter(({ rows }) => rows < 0).map(({ group }) => group.repository));
  for (const repository of fewer)
    await tx.deleteFrom('finding_groups').where('repository', '=', repository).where('findings', '=', 0).execute();
}

function inOrder(a: Group, b: Group): number {
  return a.repository - b.repository || a.package - b.package || a.statuses - b.statuses || a.traits - b.traits;
}
