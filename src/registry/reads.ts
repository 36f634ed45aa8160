import type { DatabaseHandle, Db } from '../db/database.ts';
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

export function createReads({ db, state, stateOf }: Pick<DatabaseHandle, 'db' | 'state' | 'stateOf'>): Reads {
  const ofRepositories = stateOf('repositories');
  const repositories = cacheWhileUnchanged<Repository>(ofRepositories, {
    limit: REPOSITORIES_KEPT,
    weigh: ({ name }) => name.length + ROW,
  });
  const manifests = cacheWhileUnchanged<StoredManifest>(state, {
    limit: MANIFESTS_KEPT,
    weigh: ({ content }) => content.byteLength + ROW,
  });
  const blobs = cacheWhileUnchanged<LinkedBlob>(state, { limit: BLOBS_KEPT, weigh: () => ROW });
  const tagPages = cacheWhileUnchanged<TagPage>(state, {
    limit: PAGES_KEPT,
    weigh: ({ body, next }) => body.byteLength + (next?.length ?? 0) + ROW,
  });
  const repositoryPages = cacheWhileUnchanged<readonly string[]>(ofRepositories, {
    limit: PAGES_KEPT,
    weigh: (names) => names.reduce((sum, name) => sum + name.length + NAME, ROW),
  });
  const projects = cacheWhileUnchanged<QuotaHolder>(stateOf('projects'), { limit: PROJECTS_KEPT, weigh: () => 1 });
  return {
    project: (name) =>
      projects.get(name, () =>
        db.selectFrom('projects').select(['id', 'quota']).where('name', '=', name).executeTakeFirst(),
      ),
    repository: (name) => repositories.get(name, () => findRepository(db, name)),
    manifest: (repository, reference) =>
      manifests.get(`${repository} ${reference}`, () => findManifest(db, repository, reference)),
    blob: (repository, digest) => blobs.get(`${repository} ${digest}`, () => findBlob(db, repository, digest)),
    tags: (repository, page) => tagPages.get(keyOf(page, repository), () => tagPage(db, repository, page)),
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

async function tagPage(db: Db, name: string, { limit, after }: PageRequest): Promise<TagPage | undefined> {
  const repository = await findRepository(db, name);
  if (!repository) return undefined;
  const found = await listTagNames(db, repository.id, { after, limit: limit + 1 });
  const tags = found.slice(0, limit);
  return {
    body: Buffer.from(JSON.stringify({ name, tags })),
    next: found.length > tags.length ? tags.at(-1) : undefined,
  };
}
