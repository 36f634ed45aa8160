import type { RegistryDeps } from './deps.ts';
import { RegistryError } from './errors.ts';

/** Throws `denied` for repositories of mirror projects: what is in them comes from the upstream only. */
export async function refuseMirrored(deps: RegistryDeps, repository: string): Promise<void> {
  if (await deps.mirror?.isMirrored(repository))
    throw new RegistryError(
      'denied',
      `${repository} mirrors another registry and takes no pushes; push to a project without an upstream`,
    );
}
