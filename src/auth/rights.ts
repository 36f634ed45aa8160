import { projectOf } from '../model/project-name.ts';
import type { AccessControl } from './access.ts';
import { isAllowed, type Permission, type ProjectAccess } from './permissions.ts';
import type { Principal } from './principal.ts';
import type { Access } from './scope.ts';

/** The permission behind each action on a repository. `bypass` is never given unless it is asked for by name. */
const REPOSITORY_ACTIONS: Readonly<Record<string, Permission>> = {
  pull: 'repository:pull',
  push: 'repository:push',
  delete: 'repository:delete',
};
export const BYPASS = 'bypass';

/** True when a principal with this access to the project may do this in its repositories. */
export function mayInRepository(principal: Principal, action: string, project: ProjectAccess | undefined): boolean {
  const permission = Object.hasOwn(REPOSITORY_ACTIONS, action) ? REPOSITORY_ACTIONS[action] : undefined;
  return permission !== undefined && isAllowed(principal, permission, project);
}

/**
 * What of the wanted access the principal really has. Missing rights are no error: the token then gives less, or nothing, and
 * the registry says no. `*` on a repository means everything the principal may do there, short of passing the gate.
 */
export async function intersect(
  access: Pick<AccessControl, 'see'>,
  principal: Principal,
  wanted: readonly Access[],
): Promise<Access[]> {
  const granted: Access[] = [];
  for (const { type, name, actions } of wanted) {
    const given =
      type === 'repository'
        ? await repositoryActions(access, principal, name, actions)
        : registryActions(principal, type, name, actions);
    if (given.length > 0) granted.push({ type, name, actions: given });
  }
  return granted;
}

async function repositoryActions(
  access: Pick<AccessControl, 'see'>,
  principal: Principal,
  name: string,
  wanted: readonly string[],
): Promise<string[]> {
  const project = await access.see(principal, projectOf(name));
  const actions = wanted.flatMap((action) => (action === '*' ? Object.keys(REPOSITORY_ACTIONS) : [action]));
  return [...new Set(actions)].filter((action) =>
    action === BYPASS ? isAllowed(principal, 'gate:bypass', project) : mayInRepository(principal, action, project),
  );
}

function registryActions(principal: Principal, type: string, name: string, wanted: readonly string[]): string[] {
  if (type !== 'registry' || name !== 'catalog' || !wanted.includes('*')) return [];
  return isAllowed(principal, 'project:list') ? ['*'] : [];
}
