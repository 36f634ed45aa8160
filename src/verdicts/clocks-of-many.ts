import type { Db } from '../db/database.ts';
import type { Finding } from '../model/finding.ts';
import { compareText } from '../oci/canonical.ts';
import { type ClockReading, clockPackage } from '../policy/clocks.ts';
import { batches } from './batches.ts';
import type { Subject } from './subjects.ts';

/** Running clocks of a scope: `vulnerability package` to epoch ms. */
type Running = Map<string, number>;

/** Clocks of repositories that were read already; images of one repository follow each other. */
export type ClockCache = Map<string, Running>;

const REPOSITORIES_KEPT = 4;

interface Place {
  readonly subject: Subject;
  readonly findings: readonly Finding[];
}

/** What `clocksOf` gives for one image, for many: by subject in their order; the clocks that do not run yet are started. */
export async function clocksOfMany(
  db: Db,
  places: readonly Place[],
  cache: ClockCache,
  now: number,
): Promise<readonly (readonly ClockReading[])[]> {
  const repositories = new Set(places.map(({ subject }) => `repository:${subject.repositoryId}`));
  await readScopes(
    db,
    [...repositories].filter((scope) => !cache.has(scope)),
    cache,
  );
  const images: ClockCache = new Map();
  await readScopes(db, [...new Set(places.map(({ subject }) => `digest:${subject.digest}`))], images);
  const started = new Map<string, { scope: string; vulnerability: string; package: string; first_seen: number }>();
  const readings = places.map(({ subject, findings }) => {
    const scopes = [
      [`repository:${subject.repositoryId}`, cache] as const,
      [`digest:${subject.digest}`, images] as const,
    ].map(([scope, known]) => [scope, known.get(scope) ?? new Map<string, number>()] as const);
    return distinct(findings).map(({ finding, name, key }): ClockReading => {
      const seen = scopes.map(([, running]) => firstOf(running, finding, name, key));
      const firstSeen = Math.min(now, ...seen.filter((moment) => moment !== undefined));
      for (const [at, [scope, running]] of scopes.entries()) {
        if (seen[at] !== undefined) continue;
        running.set(key, firstSeen);
        started.set(`${scope} ${key}`, {
          scope,
          vulnerability: finding.id,
          package: name,
          first_seen: firstSeen,
        });
      }
      return { vulnerability: finding.id, package: name, firstSeen };
    });
  });
  // In one order, so that two who start the same clocks take their locks alike.
  const rows = [...started].sort(([a], [b]) => compareText(a, b)).map(([, row]) => row);
  for (const batch of batches(rows, 2000))
    await db
      .insertInto('clocks')
      .values(batch)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  for (const scope of [...cache.keys()].slice(0, -REPOSITORIES_KEPT)) cache.delete(scope);
  return readings;
}

/** When a finding was first seen in a scope, under whichever of its ids. */
function firstOf(running: Running, { aliases }: Finding, name: string, key: string): number | undefined {
  let first = running.get(key);
  for (const id of aliases) {
    const moment = running.get(`${id} ${name}`);
    if (moment !== undefined && (first === undefined || moment < first)) first = moment;
  }
  return first;
}

async function readScopes(db: Db, scopes: readonly string[], into: ClockCache): Promise<void> {
  for (const scope of scopes) into.set(scope, new Map());
  for (const batch of batches(scopes))
    for (const row of await db.selectFrom('clocks').selectAll().where('scope', 'in', batch).execute())
      into.get(row.scope)?.set(`${row.vulnerability} ${row.package}`, row.first_seen);
}

/** Two versions of a package in one image share their clock. */
function distinct(findings: readonly Finding[]) {
  const unique = new Map<string, { readonly finding: Finding; readonly name: string; readonly key: string }>();
  for (const finding of findings) {
    const name = clockPackage(finding.package);
    const key = `${finding.id} ${name}`;
    unique.set(key, { finding, name, key });
  }
  return [...unique.values()];
}
