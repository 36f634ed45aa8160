import { projectOf } from '../model/project-name.ts';
import type { Clock } from '../platform/clock.ts';
import type { HttpClient } from '../platform/http-client.ts';
import { createRegistryClient, type RegistryAddress, type RegistryClient } from './registry-client.ts';

/** Where a mirror project gets what it does not have. Credentials are in clear here and nowhere else. */
export interface UpstreamSettings extends RegistryAddress {
  /** A tag that was compared with the upstream this recently is served without asking. */
  readonly freshnessSeconds: number;
}

/** Knows which projects are mirrors. Implemented by `projects`. */
export interface UpstreamSource {
  /** Settings of a project's upstream; undefined for an ordinary project. Cheap: asked on every pull. */
  upstreamOf(project: string): Promise<UpstreamSettings | undefined>;
}

export interface Upstream {
  readonly client: RegistryClient;
  readonly settings: UpstreamSettings;
  /** Name of a repository of ours at the upstream: without the project, with `library/` on Docker Hub. */
  nameThere(repository: string): string;
}

/** Names that Docker Hub goes by. */
export const DOCKER_HUB_HOSTS: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** Finds upstreams by repository; one client per settings, so that tokens are shared. */
export function createUpstreams(deps: {
  readonly source: UpstreamSource;
  readonly http: HttpClient;
  readonly clock: Clock;
}) {
  const clients = new Map<string, { key: string; upstream: Upstream }>();

  return async function upstreamFor(repository: string): Promise<Upstream | undefined> {
    const project = projectOf(repository);
    const settings = await deps.source.upstreamOf(project);
    if (!settings) return undefined;
    const key = JSON.stringify(settings);
    const known = clients.get(project);
    if (known?.key === key) return known.upstream;
    const address = { ...settings, url: reachableUrl(settings.url) };
    const isHub = DOCKER_HUB_HOSTS.has(new URL(address.url).host);
    const upstream: Upstream = {
      client: createRegistryClient(deps, address),
      settings,
      nameThere(name) {
        const path = name.slice(project.length + 1);
        return isHub && !path.includes('/') ? `library/${path}` : path;
      },
    };
    clients.set(project, { key, upstream });
    return upstream;
  };
}

/** Docker Hub's name is not where its API is. */
export function reachableUrl(url: string): string {
  const parsed = new URL(url);
  if (DOCKER_HUB_HOSTS.has(parsed.host)) parsed.host = 'registry-1.docker.io';
  return parsed.href;
}
