import type { AccessControl } from './access.ts';
import { parseAuthorization } from './authorization.ts';
import { AuthError } from './errors.ts';
import { ANONYMOUS, type Principal } from './principal.ts';
import type { RegistryTokens, TokenClaims } from './registry-token.ts';
import { BYPASS, mayInRepository, projectOf } from './rights.ts';
import type { UserStore } from './user-store.ts';

/** Who asks the registry for something. The shape of `registry/ports.ts`. */
interface RegistryCaller {
  readonly name: string;
  may(repository: string, action: 'pull' | 'push' | 'delete'): boolean;
  readonly bypassesGate: boolean;
}

export interface CallerDeps {
  readonly users: Pick<UserStore, 'authenticate' | 'current'>;
  readonly tokens: Pick<RegistryTokens, 'verify'>;
  readonly access: Pick<AccessControl, 'overview'>;
}

/**
 * Makes the registry's `authenticate`: a bearer token gives exactly what it says; Basic (for clients that do not speak the
 * token flow) gives what the user may, but never passes the gate; no header gives what public projects give. Undefined means
 * the credentials are wrong or expired. `address` is where the request comes from.
 */
export function createCallers(deps: CallerDeps) {
  return async function callerOf(authorization: string | undefined, address = ''): Promise<RegistryCaller | undefined> {
    const credentials = parseAuthorization(authorization);
    switch (credentials.kind) {
      case 'none':
        return direct(deps, ANONYMOUS);
      case 'unreadable':
        return undefined;
      case 'bearer':
        return orUndefined(async () => fromToken(deps, await deps.tokens.verify(credentials.token)));
      case 'basic':
        return orUndefined(async () => {
          const found = await deps.users.authenticate(credentials.name, credentials.password, address);
          return found && (await direct(deps, found.principal));
        });
    }
  };
}

/** Who asks the management API: Basic or nobody. Throws `AuthError` `unauthenticated` or `throttled`. */
export function createPrincipals(deps: { readonly users: Pick<UserStore, 'authenticate'> }) {
  return async function principalOf(authorization: string | undefined, address = ''): Promise<Principal> {
    const credentials = parseAuthorization(authorization);
    if (credentials.kind === 'none') return ANONYMOUS;
    if (credentials.kind !== 'basic')
      throw new AuthError(
        'unauthenticated',
        'log in with user name and password (Basic); registry tokens are for /v2/',
      );
    const found = await deps.users.authenticate(credentials.name, credentials.password, address);
    if (!found) throw new AuthError('unauthenticated', 'user name or password is wrong, or the account is disabled');
    return found.principal;
  };
}

async function direct(deps: CallerDeps, principal: Principal): Promise<RegistryCaller> {
  const { roles, publicProjects } = await deps.access.overview(principal);
  return {
    name: principal.kind === 'user' ? principal.name : '',
    bypassesGate: false,
    may(repository, action) {
      const project = projectOf(repository);
      const role = roles.get(project);
      return mayInRepository(principal, action, { public: publicProjects.has(project), ...(role ? { role } : {}) });
    },
  };
}

async function fromToken(deps: CallerDeps, { subject, access }: TokenClaims): Promise<RegistryCaller> {
  const repositories = new Map<string, ReadonlySet<string>>();
  for (const { type, name, actions } of access) if (type === 'repository') repositories.set(name, new Set(actions));
  // A token for the catalogue names no repositories: it lists those that its holder may pull.
  const listing = access.some(({ type, name }) => type === 'registry' && name === 'catalog')
    ? await direct(deps, (subject === '' ? undefined : await deps.users.current(subject))?.principal ?? ANONYMOUS)
    : undefined;
  return {
    name: subject,
    // The mark is one for the whole caller, so a token that bypasses here must not also pull there.
    bypassesGate:
      listing === undefined &&
      repositories.size > 0 &&
      [...repositories.values()].every((actions) => actions.has(BYPASS)),
    may: (repository, action) =>
      repositories.get(repository)?.has(action) === true ||
      (action === 'pull' && listing?.may(repository, action) === true),
  };
}

async function orUndefined<Value>(find: () => Promise<Value | undefined>): Promise<Value | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof AuthError && (error.code === 'token_invalid' || error.code === 'throttled')) return undefined;
    throw error;
  }
}
