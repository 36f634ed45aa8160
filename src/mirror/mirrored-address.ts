import type { Db } from '../db/database.ts';
import { DOCKER_HUB, normaliseRegistry, type Reference } from '../oci/reference.ts';
import { reachableUrl } from './upstreams.ts';

/**
 * Where a copy of an image from elsewhere is served from here already: in a mirror project of its registry, by the same tag
 * or digest. Gives `project/path:tag` without the host; undefined when there is none.
 */
export async function findMirroredCopy(db: Db, reference: Reference): Promise<string | undefined> {
  const projects = await db
    .selectFrom('upstreams as u')
    .innerJoin('projects as p', 'p.id', 'u.project_id')
    .select(['p.name', 'u.url'])
    .orderBy('p.name')
    .execute();
  for (const project of projects) {
    const path = pathBelow(project.url, reference);
    if (path === undefined) continue;
    for (const name of namesHere(project.name, path)) {
      if (await isStored(db, name, reference)) return `${name}${suffixOf(reference)}`;
    }
  }
  return undefined;
}

/** The path of a repository below an upstream's address; undefined when it is not from there. */
export function pathBelow(upstream: string, reference: Pick<Reference, 'registry' | 'repository'>): string | undefined {
  const { registry, prefix } = placeOfUpstream(upstream);
  if (registry !== reference.registry) return undefined;
  if (prefix === '') return reference.repository;
  return reference.repository.startsWith(`${prefix}/`) ? reference.repository.slice(prefix.length + 1) : undefined;
}

/** What lies at an upstream's address: images of this registry (as references name it), below this path without slashes around. */
export function placeOfUpstream(upstream: string): { readonly registry: string; readonly prefix: string } {
  const url = new URL(upstream);
  const isHub = new URL(reachableUrl(upstream)).host === new URL(reachableUrl(`https://${DOCKER_HUB}`)).host;
  return {
    registry: isHub ? DOCKER_HUB : normaliseRegistry(url.host),
    prefix: url.pathname.replace(/^\/+|\/+$/g, ''),
  };
}

/** Official images of Docker Hub may have been pulled with or without `library/`. */
function namesHere(project: string, path: string): string[] {
  const short = path.startsWith('library/') ? [`${project}/${path.slice('library/'.length)}`] : [];
  return [...short, `${project}/${path}`];
}

async function isStored(db: Db, name: string, reference: Reference): Promise<boolean> {
  const repository = await db.selectFrom('repositories').select('id').where('name', '=', name).executeTakeFirst();
  if (!repository) return false;
  const found = reference.digest
    ? await db
        .selectFrom('manifests')
        .select('digest')
        .where('repository_id', '=', repository.id)
        .where('digest', '=', reference.digest)
        .executeTakeFirst()
    : await db
        .selectFrom('tags')
        .select('digest')
        .where('repository_id', '=', repository.id)
        .where('name', '=', reference.tag ?? 'latest')
        .executeTakeFirst();
  return found !== undefined;
}

function suffixOf(reference: Reference): string {
  const tag = reference.tag ?? (reference.digest ? undefined : 'latest');
  return `${tag === undefined ? '' : `:${tag}`}${reference.digest ? `@${reference.digest}` : ''}`;
}
