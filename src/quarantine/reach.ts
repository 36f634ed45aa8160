import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { concernedManifests } from './concerned.ts';
import type { Quarantine } from './quarantine.ts';

/** What a quarantine stops. Lists hold the first of many. */
export interface Reach {
  readonly images: { readonly repository: string; readonly digest: string; readonly tags: string[] }[];
  readonly imageCount: number;
  readonly running: {
    readonly cluster: string;
    readonly namespace: string;
    readonly kind: string;
    readonly name: string;
    readonly container: string;
    readonly image: string;
  }[];
  readonly runningCount: number;
}

const SHOWN = 100;

/** What is stored of what a quarantine names, and what audits saw running of it. */
export async function reachOf(db: Db, quarantine: Pick<Quarantine, 'digest' | 'purl' | 'versions'>): Promise<Reach> {
  const digests = await concernedManifests(db, quarantine);
  const images: Reach['images'] = [];
  const running: Reach['running'] = [];
  let [imageCount, runningCount] = [0, 0];
  for (const batch of batches(digests)) {
    const stored = await db
      .selectFrom('manifests as m')
      .innerJoin('repositories as r', 'r.id', 'm.repository_id')
      .select(['r.id', 'r.name', 'm.digest'])
      .where('m.digest', 'in', batch)
      .orderBy('r.name')
      .orderBy('m.digest')
      .execute();
    imageCount += stored.length;
    for (const { id, name, digest } of stored.slice(0, SHOWN - images.length))
      images.push({ repository: name, digest, tags: await tagsOf(db, id, digest) });
    const seen = await db
      .selectFrom('running_images')
      .select(['cluster', 'namespace', 'kind', 'name', 'container', 'image'])
      .where('digest', 'in', batch)
      .orderBy('cluster')
      .orderBy('namespace')
      .orderBy('name')
      .execute();
    runningCount += seen.length;
    running.push(...seen.slice(0, SHOWN - running.length));
  }
  return { images, imageCount, running, runningCount };
}

async function tagsOf(db: Db, repositoryId: string, digest: string): Promise<string[]> {
  const rows = await db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .orderBy('name')
    .limit(10)
    .execute();
  return rows.map(({ name }) => name);
}
