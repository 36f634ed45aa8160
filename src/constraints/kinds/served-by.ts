import {
  DOCKER_HUB,
  looksLikeHost,
  normaliseRegistry,
  normaliseRepository,
  type Reference,
} from '../../oci/reference.ts';

/** Hosts that serve the repositories of Docker Hub under the same names. */
export const DOCKER_HUB_SERVERS: readonly string[] = [
  DOCKER_HUB,
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
];
/** The port that clients ask when none is written. */
export const DEFAULT_PORT = /:0*443$/;

/**
 * The image as whoever serves it knows it: without the port that is asked anyway, and with one name for Docker Hub. For lists
 * of what is forbidden; what is trusted stays what was written.
 */
export function servedReference(reference: Reference): Reference {
  const registry = serverOf(reference.registry);
  if (registry === reference.registry) return reference;
  return { ...reference, registry, repository: normaliseRepository(registry, reference.repository) };
}

/** An entry of such a list with its registry in the same way; other texts stay as they are. */
export function servedEntry(text: string): string {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  if (!looksLikeHost(host) || (slash < 0 && !host.includes('.'))) return text;
  const server = serverOf(normaliseRegistry(host));
  return server === normaliseRegistry(host) ? text : `${server}${text.slice(host.length)}`;
}

function serverOf(registry: string): string {
  const server = registry.replace(DEFAULT_PORT, '');
  return DOCKER_HUB_SERVERS.includes(server) ? DOCKER_HUB : server;
}
