import type { Db } from '../db/database.ts';
import type { AdvisorySource } from '../model/coverage.ts';
import { toRfc3339 } from '../platform/clock.ts';
import type { Line } from './lines.ts';
import type { Period } from './period.ts';

/** Advisory databases that judged in the period: those imported in it, and the newest one from before. */
export async function readAdvisoryVersions(db: Db, { from, to }: Period): Promise<Line<'advisoryVersions'>[]> {
  const versions = db.selectFrom('advisory_versions').selectAll();
  const inUse = await versions.where('imported_at', '<', from).orderBy('imported_at', 'desc').limit(1).execute();
  const imported = await versions
    .where('imported_at', '>=', from)
    .where('imported_at', '<', to)
    .orderBy('imported_at')
    .execute();
  return [...inUse, ...imported].map(({ version, built_at, imported_at, imported_by, sources }) => ({
    version,
    builtAt: toRfc3339(built_at),
    importedAt: toRfc3339(imported_at),
    importedBy: imported_by,
    sources: (JSON.parse(sources) as AdvisorySource[]).map(advisorySourceLine),
  }));
}

/** Where the facts of one ecosystem come from, how old and how complete they are. */
export function advisorySourceLine(source: AdvisorySource): Line<'advisorySources'> {
  const { ecosystem, feed, completeness, records, newest, note } = source;
  return {
    ecosystem,
    feed,
    completeness,
    records,
    ...(newest === undefined ? {} : { newest }),
    ...(note === undefined ? {} : { note }),
  };
}
