import type { Access } from './access.ts';
import { ANONYMOUS, nameOf, type Principal } from './principal.ts';
import type { RegistryTokens } from './registry-token.ts';
import type { UserStore } from './user-store.ts';

/** Name and password of a Basic header (RFC 7617); undefined for anything else. */
export function parseBasic(
  header: string | undefined,
): { readonly name: string; readonly password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]{1,4096})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * Who sends a request of the management API: Basic, or nobody. Gives undefined for credentials that are wrong, so that
 * they are never mistaken for none.
 */
export async function principalOf(
  users: UserStore,
  header: string | undefined,
  address?: string,
): Promise<Principal | undefined> {
  if (header === undefined) return ANONYMOUS;
  const basic = parseBasic(header);
  return basic && users.authenticate(basic.name, basic.password, address);
}

/** Structurally the registry's `Caller`. */
export interface RegistryCaller {
  readonly name: string;
  may(repository: string, action: 'pull' | 'push' | 'delete'): boolean;
  readonly bypassesGate: boolean;
}

/**
 * Who sends a request of the distribution API: a token of ours, or Basic directly from simple clients. A token is good for
 * the repositories it names; with Basic, or a token for the catalog, it is the account's own rights that count.
 */
export function createRegistryAuthenticator(deps: {
  readonly tokens: RegistryTokens;
  readonly users: UserStore;
  readonly access: Access;
}) {
  async function byOwnRights(principal: Principal): Promise<RegistryCaller> {
    const rights = await deps.access.rightsOf(principal);
    return {
      name: nameOf(principal),
      may: (repository, action) => rights(`repository:${action}`, repository.split('/', 1)[0] ?? ''),
      bypassesGate: false,
    };
  }

  async function byToken(token: string): Promise<RegistryCaller | undefined> {
    const claims = await deps.tokens.verify(token, 'access');
    if (!claims) return undefined;
    const named = (repository: string, action: string) =>
      claims.access.some(
        ({ type, name, actions }) => type === 'repository' && name === repository && actions.includes(action),
      );
    const lists = claims.access.some(({ type, name }) => type === 'registry' && name === 'catalog');
    const listing = lists
      ? await deps.users.byName(claims.subject).then((user) => user && byOwnRights(user))
      : undefined;
    return {
      name: claims.subject,
      may: (repository, action) =>
        named(repository, action) || (action === 'pull' && listing?.may(repository, action) === true),
      bypassesGate: claims.bypass,
    };
  }

  return async function authenticate(header: string | undefined): Promise<RegistryCaller | undefined> {
    const token = /^bearer +(\S+)$/i.exec(header ?? '')?.[1];
    if (token !== undefined) return byToken(token);
    const basic = parseBasic(header);
    const principal = basic && (await deps.users.authenticate(basic.name, basic.password));
    return principal && byOwnRights(principal);
  };
}
