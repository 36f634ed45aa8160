import { projectOf } from '../model/project-name.ts';
import type { Accounts } from './accounts.ts';
import { parseAuthorization } from './authorization.ts';
import { AuthError } from './errors.ts';
import { isAllowed } from './permissions.ts';
import { ANONYMOUS, nameOf, type Principal } from './principal.ts';
import type { RegistryTokens, TokenClaims } from './registry-token.ts';
import { BYPASS, mayInRepository } from './rights.ts';
import type { Standing, Standings } from './standings.ts';

/** Who asks the registry for something. The shape of `registry/ports.ts`. */
interface RegistryCaller {
  readonly name: string;
  /** The person who answers for a robot. */
  readonly person?: string;
  may(repository: string, action: 'pull' | 'push' | 'delete'): boolean;
  mayEverPush?(repository: string): boolean;
  readonly bypassesGate: boolean;
}

export interface CallerDeps {
  readonly accounts: Pick<Accounts, 'authenticate'>;
  readonly tokens: Pick<RegistryTokens, 'verify'>;
  readonly standings: Standings;
}

/**
 * Makes the registry's `authenticate`: a bearer token gives what it says as far as its holder still has it; Basic (for clients that
 * do not speak the token flow) gives what the account may, but never passes the gate; no header gives what public projects
 * give. Undefined means the credentials are wrong or do not count any more. `address` is where the request comes from.
 */
export function createCallers(deps: CallerDeps) {
  return async function callerOf(authorization: string | undefined, address = ''): Promise<RegistryCaller | undefined> {
    const credentials = parseAuthorization(authorization);
    switch (credentials.kind) {
      case 'none':
        return direct(await deps.standings.of('', ''));
      case 'unreadable':
        return undefined;
      case 'bearer':
        return orUndefined(async () => fromToken(deps, await deps.tokens.verify(credentials.token)));
      case 'basic':
        return orUndefined(async () => {
          const found = await deps.accounts.authenticate(credentials.name, credentials.password, address);
          return found && direct(await deps.standings.of(found.principal.name, found.mark));
        });
    }
  };
}

/** Who asks the management API: Basic or nobody. Throws `AuthError` `unauthenticated` or `throttled`. */
export function createPrincipals(deps: { readonly accounts: Pick<Accounts, 'authenticate'> }) {
  return async function principalOf(authorization: string | undefined, address = ''): Promise<Principal> {
    const credentials = parseAuthorization(authorization);
    if (credentials.kind === 'none') return ANONYMOUS;
    if (credentials.kind !== 'basic')
      throw new AuthError(
        'unauthenticated',
        'log in with user name and password (Basic); registry tokens are for /v2/',
      );
    const found = await deps.accounts.authenticate(credentials.name, credentials.password, address);
    if (!found)
      throw new AuthError('unauthenticated', 'name or password is wrong, or the account is disabled or has expired');
    return found.principal;
  };
}

function direct(standing: Standing | undefined): RegistryCaller | undefined {
  if (!standing) return undefined;
  return {
    ...namesOf(standing.principal),
    bypassesGate: false,
    may: (repository, action) => may(standing, repository, action),
  };
}

async function fromToken(deps: CallerDeps, claims: TokenClaims): Promise<RegistryCaller | undefined> {
  const { subject, access } = claims;
  const standing = await deps.standings.of(subject, claims.mark);
  if (!standing) return undefined;
  const repositories = new Map<string, ReadonlySet<string>>();
  for (const { type, name, actions } of access) if (type === 'repository') repositories.set(name, new Set(actions));
  // A token for the catalogue names no repositories: it lists those that its holder may pull.
  const listing = access.some(({ type, name }) => type === 'registry' && name === 'catalog');
  return {
    ...namesOf(standing.principal),
    // The mark is one for the whole caller, so a token that bypasses here must not also pull there.
    bypassesGate:
      !listing &&
      repositories.size > 0 &&
      [...repositories].every(([name, actions]) => actions.has(BYPASS) && mayBypass(standing, name)),
    may: (repository, action) =>
      (repositories.get(repository)?.has(action) === true || (listing && action === 'pull')) &&
      may(standing, repository, action),
    mayEverPush: (repository) => may(standing, repository, 'push'),
  };
}

function may(standing: Standing, repository: string, action: string): boolean {
  return mayInRepository(standing.principal, action, standing.accessTo(projectOf(repository)));
}

function mayBypass(standing: Standing, repository: string): boolean {
  return isAllowed(standing.principal, 'gate:bypass', standing.accessTo(projectOf(repository)));
}

function namesOf(principal: Principal): Pick<RegistryCaller, 'name' | 'person'> {
  if (principal.kind === 'anonymous') return { name: '' };
  return { name: nameOf(principal), ...(principal.kind === 'robot' ? { person: principal.owner.name } : {}) };
}

async function orUndefined<Value>(find: () => Promise<Value | undefined>): Promise<Value | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof AuthError && UNKNOWN.has(error.code)) return undefined;
    throw error;
  }
}

const UNKNOWN: ReadonlySet<string> = new Set(['token_invalid', 'throttled', 'secret_mistyped']);
