import type { DatabaseHandle } from '../db/database.ts';
import { cacheWhileUnchanged } from '../db/unchanged.ts';
import type { Digest } from '../oci/digest.ts';
import { findBlob, type LinkedBlob } from './blob-links.ts';
import { findManifest, type StoredManifest } from './manifest-reader.ts';
import type { PageRequest } from './paging.ts';
import type { QuotaHolder } from './quota.ts';
import { findRepository, listRepositories, type Repository } from './repositories.ts';
import { listTagNames } from './tags.ts';

/** Bytes kept of manifests, of rows about blobs, and of pages of names. */
const MANIFESTS_KEPT = 16 * 1024 * 1024;
const BLOBS_KEPT = 2 * 1024 * 1024;
const PAGES_KEPT = 4 * 1024 * 1024;
const REPOSITORIES_KEPT = 2 * 1024 * 1024;
const PROJECTS_KEPT = 10_000;
/** Tags of a repository that are read all at once when several pages of them are asked for; names kept of all of them. */
const TAGS_AT_ONCE = 2000;
const NAMES_KEPT = 20_000;
/** Pages after which somebody seems to go through all of them. */
const PAGES_ALONE = 2;
/** What an entry takes beside the bytes of its manifest, and a name in a list beside its characters. */
const ROW = 512;
const NAME = 32;

/** What is asked over and over: answered from memory for as long as nothing was committed that it rests on. */
export interface Reads {
  /** What uploads need to know of a project; undefined when there is none of that name. */
  project(name: string): Promise<QuotaHolder | undefined>;
  /** As `findRepository`. */
  repository(name: string): Promise<Repository | undefined>;
  /** As `findManifest`. */
  manifest(repository: string, reference: string): Promise<StoredManifest | undefined>;
  /** As `findBlob`. */
  blob(repository: string, digest: Digest): Promise<LinkedBlob | undefined>;
  /** Undefined when there is no such repository. */
  tags(repository: string, page: PageRequest): Promise<TagPage | undefined>;
  /** Names of repositories, bytewise. */
  repositories(page: PageRequest): Promise<readonly string[]>;
}

/** The answer to a request for tags. */
export interface TagPage {
  readonly body: Buffer;
  /** The last tag, when there are more. */
  readonly next: string | undefined;
}

export function createReads({ db, stateOf }: Pick<DatabaseHandle, 'db' | 'stateOf'>): Reads {
  const ofRepositories = stateOf('repositories');
  const ofManifests = stateOf('repositories', 'tags', 'manifests', 'projects', 'upstreams');
  const ofTags = stateOf('repositories', 'tags');
  const ofBlobs = stateOf('repositories', 'repository_blobs', 'blobs', 'gc_reviews');
  const repositories = cacheWhileUnchanged<Repository>(ofRepositories, {
    limit: REPOSITORIES_KEPT,
    weigh: ({ name }) => name.length + ROW,
  });
  const manifests = cacheWhileUnchanged<StoredManifest>(ofManifests, {
    limit: MANIFESTS_KEPT,
    weigh: ({ content }) => content.byteLength + ROW,
  });
  const blobs = cacheWhileUnchanged<LinkedBlob>(ofBlobs, { limit: BLOBS_KEPT, weigh: () => ROW });
  const tagPages = cacheWhileUnchanged<TagPage>(ofTags, {
    limit: PAGES_KEPT,
    weigh: ({ body, next }) => body.byteLength + (next?.length ?? 0) + ROW,
  });
  const tagLists = cacheWhileUnchanged<TagList>(ofTags, {
    limit: NAMES_KEPT,
    weigh: ({ names }) => 1 + (names?.length ?? 0),
  });
  const repositoryPages = cacheWhileUnchanged<readonly string[]>(ofRepositories, {
    limit: PAGES_KEPT,
    weigh: (names) => names.reduce((sum, name) => sum + name.length + NAME, ROW),
  });
  const projects = cacheWhileUnchanged<QuotaHolder>(stateOf('projects'), { limit: PROJECTS_KEPT, weigh: () => 1 });

  /** The tags of a page and one more, when there is one. */
  async function namesFor({ id }: Repository, { after, limit }: PageRequest): Promise<readonly string[]> {
    const asked = await tagLists.get(id, () => Promise.resolve({ pages: 0 }));
    if (asked) asked.pages += 1;
    if (asked && asked.pages > PAGES_ALONE && limit < TAGS_AT_ONCE) {
      const all = await tagLists.get(`all ${id}`, async () => {
        const names = await listTagNames(db, id, { after: '', limit: TAGS_AT_ONCE + 1 });
        return names.length > TAGS_AT_ONCE ? { pages: 0 } : { pages: 0, names };
      });
      if (all?.names) return namesAfter(all.names, after, limit + 1);
    }
    return listTagNames(db, id, { after, limit: limit + 1 });
  }

  return {
    project: (name) =>
      projects.get(name, () =>
        db.selectFrom('projects').select(['id', 'quota']).where('name', '=', name).executeTakeFirst(),
      ),
    repository: (name) => repositories.get(name, () => findRepository(db, name)),
    manifest: (repository, reference) =>
      manifests.get(`${repository} ${reference}`, () => findManifest(db, repository, reference)),
    blob: (repository, digest) => blobs.get(`${repository} ${digest}`, () => findBlob(db, repository, digest)),
    tags: (repository, page) =>
      tagPages.get(keyOf(page, repository), async () => {
        const found = await repositories.get(repository, () => findRepository(db, repository));
        return found && pageOf(found, page, await namesFor(found, page));
      }),
    repositories: async (page) =>
      (await repositoryPages.get(keyOf(page), async () =>
        (await listRepositories(db, page)).map(({ name }) => name),
      )) ?? [],
  };
}

/** What is asked after comes last: it is the client's text, and may hold anything. */
function keyOf({ limit, after }: PageRequest, repository = ''): string {
  return `${repository} ${limit} ${after}`;
}

/** How many pages of a repository were asked for since its tags changed, or all of its tags where they are few. */
interface TagList {
  pages: number;
  readonly names?: readonly string[];
}

/** Bytewise, as the databases compare: tags have nothing but ASCII, which is below everything else in UTF-8 and here. */
function namesAfter(names: readonly string[], after: string, limit: number): readonly string[] {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] ?? '') > after) high = middle;
    else low = middle + 1;
  }
  return names.slice(low, low + limit);
}

function pageOf({ name }: Repository, { limit }: PageRequest, found: readonly string[]): TagPage {
  const tags = found.slice(0, limit);
  return {
    body: Buffer.from(JSON.stringify({ name, tags })),
    next: found.length > tags.length ? tags.at(-1) : undefined,
  };
}
