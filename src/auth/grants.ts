import type { Access } from './access.ts';
import type { Permission } from './permissions.ts';
import type { Principal } from './principal.ts';
import type { Scope } from './scope.ts';

const REPOSITORY_ACTIONS = { pull: 'repository:pull', push: 'repository:push', delete: 'repository:delete' } as const;
type RepositoryAction = keyof typeof REPOSITORY_ACTIONS;

/**
 * What of the wanted scopes somebody gets: the intersection with their rights, empty ones left out. `*` stands for
 * everything. The name of a repository begins with its project.
 */
export async function grantedScopes(access: Access, principal: Principal, wanted: readonly Scope[]): Promise<Scope[]> {
  const granted: Scope[] = [];
  for (const scope of wanted) {
    const actions = await grantedActions(access, principal, scope);
    if (actions.length > 0) granted.push({ type: scope.type, name: scope.name, actions });
  }
  return granted;
}

async function grantedActions(access: Access, principal: Principal, { type, name, actions }: Scope): Promise<string[]> {
  // Everybody may ask for the catalog; it lists what the caller may pull.
  if (type === 'registry' && name === 'catalog') return principal.kind === 'user' ? ['*'] : [];
  if (type !== 'repository') return [];
  const all = actions.includes('*');
  const granted: string[] = [];
  for (const action of Object.keys(REPOSITORY_ACTIONS) as RepositoryAction[]) {
    const permission: Permission = REPOSITORY_ACTIONS[action];
    if ((all || actions.includes(action)) && (await access.may(principal, permission, name.split('/', 1)[0] ?? '')))
      granted.push(action);
  }
  return granted;
}
