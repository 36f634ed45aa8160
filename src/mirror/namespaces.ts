import type { Db } from '../db/database.ts';
import { DOCKER_HUB, isRegistryHost, normaliseRegistry, normaliseRepository } from '../oci/reference.ts';
import { pathBelow } from './mirrored-address.ts';
import { DOCKER_HUB_HOSTS } from './upstreams.ts';

/** Every repository of Docker Hub has two parts. */
const HUB_PARTS = 2;

/**
 * The repository of ours that stands for `repository` of another registry, as clients of a mirror ask for it with `ns`
 * (distribution-spec, "Registry Proxying"): in the first mirror project of that registry by name, or as it is when it lies in
 * such a project already, as clients ask that put the project before the name. Undefined when nothing mirrors the registry:
 * `namespace` is looked up, never connected to.
 */
export async function repositoryFor(db: Db, namespace: string, repository: string): Promise<string | undefined> {
  if (!isRegistryHost(namespace)) return undefined;
  const registry = registryOf(namespace);
  const wanted = { registry, repository: normaliseRepository(registry, repository) };
  const rows = await db
    .selectFrom('upstreams as u')
    .innerJoin('projects as p', 'p.id', 'u.project_id')
    .select(['p.name', 'u.url'])
    .orderBy('p.name')
    .execute();
  const mirrors = rows.flatMap(({ name, url }) => {
    const path = pathBelow(url, wanted);
    return path === undefined ? [] : [{ name, path }];
  });
  const parts = repository.split('/');
  // docker.io/hub/app is an image of the account `hub`, whatever our projects are called.
  const mayBePrefixed = registry !== DOCKER_HUB || parts.length > HUB_PARTS;
  if (mayBePrefixed && rows.some(({ name, url }) => name === parts[0] && isAtRegistry(url, registry)))
    return repository;
  const [first] = mirrors;
  return first && `${first.name}/${first.path}`;
}

function registryOf(host: string): string {
  const registry = normaliseRegistry(host);
  return DOCKER_HUB_HOSTS.has(registry) ? DOCKER_HUB : registry;
}

function isAtRegistry(upstream: string, registry: string): boolean {
  return registryOf(new URL(upstream).host) === registry;
}
