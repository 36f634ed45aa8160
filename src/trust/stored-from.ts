import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { DOCKER_HUB } from '../oci/reference.ts';
import type { TrustEntry } from './match/entry.ts';
import { entryCovers } from './match/matcher.ts';

/** Where images of a repository here come from, as references name it. */
interface Origin {
  readonly registry: string;
  readonly repository: string;
}

export interface OriginDeps {
  readonly db: Db;
  /** Names of the projects that are looked into: what lies in others is as if it were not stored. */
  readonly projects: 'all' | ReadonlySet<string>;
  /** Hosts of this registry in references. */
  readonly hosts: readonly string[];
  /** What lies at the address of an upstream. */
  readonly placeOf: (upstreamUrl: string) => { readonly registry: string; readonly prefix: string };
}

/** A manifest that is stored here and comes from a source. */
export interface StoredImage {
  readonly repositoryId: string;
  /** Full name here, `hub/library/nginx`. */
  readonly repository: string;
  readonly digest: string;
  /** Epoch ms: when it came here. */
  readonly createdAt: number;
}

/** Images (no indexes, no artifacts) stored here that come from an entry: pushed here, or mirrored. Newest first in each repository. */
export async function storedFrom(deps: OriginDeps, entry: TrustEntry): Promise<readonly StoredImage[]> {
  const rows = await deps.db
    .selectFrom('repositories as r')
    .innerJoin('projects as p', 'p.id', 'r.project_id')
    .leftJoin('upstreams as u', 'u.project_id', 'r.project_id')
    .select(['r.id', 'r.name', 'p.name as project', 'u.url'])
    .orderBy('r.name')
    .execute();
  const found: StoredImage[] = [];
  for (const { id, name, project, url } of rows) {
    if (deps.projects !== 'all' && !deps.projects.has(project)) continue;
    const origins = originsOf(deps, name, url === null ? undefined : { project, url });
    if (!origins.some((origin) => mayCover(entry, origin))) continue;
    found.push(...(await imagesIn(deps.db, { id, name }, entry)));
  }
  return found;
}

function originsOf(
  { hosts, placeOf }: OriginDeps,
  name: string,
  upstream: { readonly project: string; readonly url: string } | undefined,
): readonly Origin[] {
  if (!upstream) return hosts.map((registry) => ({ registry, repository: name }));
  const { registry, prefix } = placeOf(upstream.url);
  const path = name.slice(upstream.project.length + 1);
  const repository = prefix === '' ? path : `${prefix}/${path}`;
  const official = registry === DOCKER_HUB && !repository.includes('/') ? [`library/${repository}`] : [];
  return [repository, ...official].map((one) => ({ registry, repository: one }));
}

/** True when images of that repository may be meant; which of them an entry with a tag or digest means is for `imagesIn`. */
function mayCover(entry: TrustEntry, origin: Origin): boolean {
  if (entry.scope === 'tag' || entry.scope === 'digest')
    return entry.registry === origin.registry && entry.path === origin.repository;
  return entryCovers(entry, { ...origin, original: origin.repository });
}

async function imagesIn(
  db: Db,
  { id, name }: { readonly id: string; readonly name: string },
  { scope, tag, digest }: TrustEntry,
): Promise<readonly StoredImage[]> {
  let query = db
    .selectFrom('manifests as m')
    .select(['m.digest', 'm.created_at'])
    .where('m.repository_id', '=', id)
    .where('m.kind', '=', 'image')
    .orderBy('m.created_at', 'desc')
    .orderBy('m.digest');
  if (scope === 'tag' || scope === 'digest') {
    const meant = scope === 'digest' ? digest : await digestOf(db, id, tag ?? 'latest');
    if (meant === undefined) return [];
    query = query.where('m.digest', 'in', [meant, ...(await childrenOf(db, id, meant))]);
  }
  const rows = await query.execute();
  return rows.map((row) => ({ repositoryId: id, repository: name, digest: row.digest, createdAt: row.created_at }));
}

async function digestOf(db: Db, repositoryId: string, tag: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('tags')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('name', '=', tag)
    .executeTakeFirst();
  return row?.digest;
}

async function childrenOf(db: Db, repositoryId: string, parent: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('manifest_children')
    .select('child_digest')
    .where('repository_id', '=', repositoryId)
    .where('parent_digest', '=', parent)
    .execute();
  return rows.map((row) => row.child_digest);
}

/** The digests among these that something signed: a signature as a referrer, or under the tag of cosign's old schema. */
export async function signedAmong(db: Db, images: readonly StoredImage[]): Promise<number> {
  let signed = 0;
  for (const [repositoryId, own] of Map.groupBy(images, (image) => image.repositoryId))
    for (const batch of batches(own.map(({ digest }) => digest))) {
      const referrers = await db
        .selectFrom('manifests')
        .select('subject')
        .distinct()
        .where('repository_id', '=', repositoryId)
        .where('subject', 'in', batch)
        .where('artifact_type', 'in', SIGNATURES)
        .execute();
      const tags = await db
        .selectFrom('tags')
        .select('name')
        .where('repository_id', '=', repositoryId)
        .where('name', 'in', batch.map(signatureTag))
        .execute();
      const names = new Set(tags.map(({ name }) => name));
      const subjects = new Set(referrers.map(({ subject }) => subject));
      signed += batch.filter((digest) => subjects.has(digest) || names.has(signatureTag(digest))).length;
    }
  return signed;
}

/** Artifact types of signatures: of cosign as a referrer in both its forms, and of notation. */
const SIGNATURES = [
  'application/vnd.dev.cosign.artifact.sig.v1+json',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
  'application/vnd.cncf.notary.signature',
];

function signatureTag(digest: string): string {
  return `${digest.replace(':', '-')}.sig`;
}
