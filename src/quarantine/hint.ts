import type { Db } from '../db/database.ts';
import { imagesHolding } from './held-packages.ts';
import type { Quarantine } from './quarantine.ts';
import { readTarget } from './target.ts';

/**
 * What to say about a quarantine of a package that no stored image has: it may be written wrongly, or mean the source that packages are
 * built from. Undefined where something is stored that it means, and for digests.
 */
export async function hintFor(
  db: Db,
  { purl, versions }: Pick<Quarantine, 'purl' | 'versions'>,
): Promise<string | undefined> {
  if (purl === undefined) return undefined;
  const target = readTarget(purl, versions);
  if (target.kind !== 'package' || (await imagesHolding(db, target)).length > 0) return undefined;
  const nothing = 'no image that is stored here holds it yet; it stops those that come';
  if (target.pattern.qualifiers.has('arch')) return nothing;
  const bySource = `${purl}${purl.includes('?') ? '&' : '?'}arch=source`;
  const source = readTarget(bySource, versions);
  const found = source.kind === 'package' ? (await imagesHolding(db, source)).length : 0;
  if (found === 0) return nothing;
  const versionsToo = versions === undefined ? '' : ` with the versions ${versions}`;
  return `no image that is stored here holds a package of this name, but ${found} hold packages built from that source: put ${bySource}${versionsToo} under quarantine to stop those`;
}
