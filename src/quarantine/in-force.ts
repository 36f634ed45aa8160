import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { cacheWhileUnchanged, type DatabaseState } from '../db/unchanged.ts';
import type { QuarantineHit } from '../policy/quarantine.ts';
import { type PackageTarget, readTarget } from './target.ts';

/** What every verdict says of one quarantine. */
export type Entry = Omit<QuarantineHit, 'package'>;

/** All quarantines in force, taken apart. */
export interface InForce {
  /** Another text after every change. */
  readonly revision: string;
  readonly digests: ReadonlyMap<string, Entry>;
  readonly packages: readonly { readonly target: PackageTarget; readonly entry: Entry }[];
}

/** Reads what is under quarantine now; again only when the database has changed. */
export function createInForce({
  db,
  state,
}: {
  readonly db: Db;
  readonly state: DatabaseState;
}): () => Promise<InForce> {
  const kept = cacheWhileUnchanged<InForce>(state, { limit: 1, weigh: () => 1 });
  return async () => (await kept.get('all', () => read(db))) ?? read(db);
}

async function read(db: Db): Promise<InForce> {
  const rows = await db.selectFrom('quarantines').selectAll().where('state', '!=', 'released').orderBy('id').execute();
  const digests = new Map<string, Entry>();
  const packages: InForce['packages'][number][] = [];
  for (const row of rows) {
    const entry = entryOf(row);
    if (row.digest !== null) digests.set(row.digest, entry);
    if (row.purl === null) continue;
    const target = readTarget(row.purl, row.versions ?? undefined);
    if (target.kind === 'package') packages.push({ target, entry });
  }
  return { revision: rows.map(({ id }) => id).join(' '), digests, packages };
}

function entryOf({ id, target, added_at, reason, ticket }: Row<'quarantines'>): Entry {
  return { id, target, since: added_at, reason, ticket };
}
