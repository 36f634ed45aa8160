import type { Db } from '../db/database.ts';
import { type Readable, storedIn } from './check-stored.ts';
import type { ExceptionSubject } from './exception.ts';

/**
 * Names of the packages that are built from the same source as the one a request names, by its own or its source's name, and of that source;
 * as the images in these projects say. Undefined when it names none.
 */
export async function packagesOfSource(
  db: Db,
  { package: name, packageType }: ExceptionSubject,
  projects: Readable,
): Promise<ReadonlySet<string> | undefined> {
  if (name === undefined) return undefined;
  const ofType = storedIn(db, projects).select(['k.name', 'k.source_name']).distinct();
  const stored = packageType === undefined ? ofType : ofType.where('k.type', '=', packageType);
  const named = await stored
    .where((where) => where.or([where('k.name', '=', name), where('k.source_name', '=', name)]))
    .execute();
  const sources = [...new Set([name, ...named.map((row) => row.source_name ?? row.name)])];
  const built = await stored.where('k.source_name', 'in', sources).execute();
  return new Set([...sources, ...built.map((row) => row.name)]);
}
