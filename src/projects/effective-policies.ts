import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { type EffectivePolicy, effectiveOf } from './effective-policy.ts';
import { INSTALLATION, type InForce, inForce, versionsOf } from './policy-rows.ts';

/** What counts for a project at a moment and after it, with the moment from which its documents count (epoch ms; absent where there are none). */
export type DatedPolicy = Pick<EffectivePolicy, 'policy' | 'coming'> & { readonly since?: number };

/** The effective policies of these projects, by name; of those there are. Projects that say nothing share one. */
export async function effectivePolicies(
  db: Db,
  projects: readonly string[],
  now: number,
): Promise<ReadonlyMap<string, DatedPolicy>> {
  const installation = inForce(await versionsOf(db, INSTALLATION), now);
  const inherited = datedPolicy(installation, undefined);
  const policies = new Map<string, DatedPolicy>();
  for (const batch of batches(projects)) {
    const found = await db.selectFrom('projects').select(['id', 'name']).where('name', 'in', batch).execute();
    if (found.length === 0) continue;
    const ids = found.map(({ id }) => id);
    const rows: Row<'policies'>[] = await db
      .selectFrom('policies')
      .selectAll()
      .where('project_id', 'in', ids)
      .orderBy('version', 'desc')
      .execute();
    const versions = Map.groupBy(rows, (row) => row.project_id);
    for (const { id, name } of found) {
      const own = versions.get(id);
      policies.set(name, own ? datedPolicy(installation, inForce(own, now)) : inherited);
    }
  }
  return policies;
}

function datedPolicy(installation: InForce, project: InForce | undefined): DatedPolicy {
  const { policy, coming } = effectiveOf(installation, project, 0);
  const moments = [installation.since, project?.since].filter((moment) => moment !== undefined);
  return { policy, coming, ...(moments.length === 0 ? {} : { since: Math.max(...moments) }) };
}
