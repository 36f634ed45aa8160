import { isRegistryHost } from '../oci/reference.ts';
import type { RegistryDeps } from './deps.ts';
import { RegistryError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { Target } from './paths.ts';

/**
 * What a pull is for when the client says whose repository it means (`ns`, distribution-spec, "Registry Proxying"): the
 * repository of the mirror project of that registry, confirmed with `OCI-Namespace`. Everything else stays as it is. Throws
 * `name_unknown` for registries that nobody mirrors here: our own repository of that name would be another image.
 */
export async function inNamespace(
  deps: RegistryDeps,
  { request, reply, query }: Exchange,
  target: Target,
): Promise<Target> {
  const namespace = query.get('ns');
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (namespace === null || !deps.mirror || !reads || !('repository' in target) || target.kind === 'upload')
    return target;
  const own = deps.publicUrl === undefined ? undefined : new URL(deps.publicUrl).host;
  if (namespace === own || namespace === request.host) return target;
  const repository = await deps.mirror.repositoryFor(namespace, target.repository);
  if (repository === undefined || !isRegistryHost(namespace))
    throw new RegistryError(
      'name_unknown',
      `no project here mirrors "${namespace.slice(0, 255)}"; create one with: breakwater project create NAME --upstream URL`,
    );
  reply.header('oci-namespace', namespace);
  return { ...target, repository };
}
