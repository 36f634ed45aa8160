import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWholeFile } from '../../platform/whole-file.ts';
import type { SourceReport } from '../feeds/fetch/index.ts';
import { type FeedManifest, type FeedStatement, MANIFEST_NAME, readManifest } from './manifest.ts';

const FETCHED = 'fetched from ';

/**
 * States in a folder of feeds that what was fetched is complete: it is the publisher's whole file, or that of the mirror an
 * operator chose. Statements somebody else wrote there win and are kept. `now` is epoch ms. Throws
 * `AdvisoryDatabaseError('bad_manifest')` for a file that is none.
 */
export async function stateFetched(folder: string, reports: readonly SourceReport[], now: number): Promise<void> {
  const manifest = await readManifest(folder);
  const feeds = new Map(manifest.feeds.map((statement) => [keyOf(statement), statement]));
  const day = new Date(now).toISOString().slice(0, 10);
  for (const report of reports) {
    if (!report.ok) continue;
    const scope = scopeOf(report.source);
    const known = feeds.get(keyOf(scope));
    if (known !== undefined && known.note?.startsWith(FETCHED) !== true) continue;
    const asOf = report.changed ? day : (known?.asOf ?? day);
    feeds.set(keyOf(scope), { ...scope, completeness: 'complete', asOf, note: `${FETCHED}${report.from}` });
  }
  const next: FeedManifest = { ...manifest, feeds: [...feeds.values()] };
  const path = join(folder, MANIFEST_NAME);
  const text = `${JSON.stringify(next, null, 2)}\n`;
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return;
  await writeWholeFile(path, [text]);
}

/** What a source is called in statements: `alpine-secdb:v3.20` is one ecosystem of a feed, `osv:Debian` a feed. */
function scopeOf(source: string): Pick<FeedStatement, 'ecosystem' | 'feed'> {
  const branch = /^alpine-secdb:(.+)$/.exec(source)?.[1];
  return branch === undefined ? { feed: source } : { feed: 'alpine-secdb', ecosystem: `Alpine:${branch}` };
}

function keyOf({ feed, ecosystem = '' }: Pick<FeedStatement, 'ecosystem' | 'feed'>): string {
  return `${feed}\n${ecosystem}`;
}
