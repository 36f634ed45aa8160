import type { FastifyRequest } from 'fastify';
import { isRepositoryName } from '../oci/reference.ts';
import type { RegistryDeps } from './deps.ts';
import { RegistryError } from './errors.ts';
import type { Caller } from './ports.ts';

type Action = 'pull' | 'push' | 'delete';

/** What a token must hold for an action: clients look at a blob before they push it, so pushing needs both. */
const SCOPES: Readonly<Record<Action, string>> = { pull: 'pull', push: 'pull,push', delete: 'delete' };
const HOST = /^[A-Za-z0-9._-]+(?::\d{1,5})?$|^\[[0-9a-fA-F:.]+\](?::\d{1,5})?$/;

/**
 * The caller, when it may do this in the repository. Otherwise `unauthorized` with a challenge that names the missing scope:
 * also for callers who are known, because clients ask for a better token on 401 only. `source`: a repository to read from
 * besides, which a token may be asked for in the same go; without the right to it the request goes on.
 */
export async function authorize(
  deps: RegistryDeps,
  request: FastifyRequest,
  repository: string,
  action: Action,
  source?: string,
): Promise<Caller> {
  const authorization = request.headers.authorization;
  const caller = await deps.authenticate(authorization, request.ip);
  if (caller?.may(repository, action)) return caller;
  const wanted = `repository:${repository}:${SCOPES[action]}`;
  // A name out of the request goes into a header, so it must be one.
  const scope = source !== undefined && isRepositoryName(source) ? `${wanted} repository:${source}:pull` : wanted;
  const message = caller
    ? `you may not ${action} in ${repository}; log in as somebody who may, or ask an administrator of the project`
    : 'authentication is required; log in first';
  throw unauthorized(deps, request, message, { scope, known: caller !== undefined });
}

/** The caller of something that is not about one repository. Anonymous callers count only with a token. */
export async function authenticate(deps: RegistryDeps, request: FastifyRequest, scope?: string): Promise<Caller> {
  const authorization = request.headers.authorization;
  const caller = await deps.authenticate(authorization, request.ip);
  if (caller && (authorization !== undefined || caller.name !== '')) return caller;
  throw unauthorized(deps, request, 'authentication is required; log in first', { scope, known: false });
}

/** Counts what a caller asks for. Throws `too_many_requests` with `Retry-After`. */
export function spend(deps: RegistryDeps, request: FastifyRequest, caller: Caller, budget: 'pulls' | 'writes'): void {
  const refused = deps.limits?.spend(budget, caller.name, request.ip);
  if (refused)
    throw new RegistryError('too_many_requests', refused.message, {
      headers: { 'retry-after': String(refused.retryAfterSeconds) },
    });
}

function unauthorized(
  deps: RegistryDeps,
  request: FastifyRequest,
  message: string,
  missing: { readonly scope?: string | undefined; readonly known: boolean },
): RegistryError {
  const parameters = [`realm="${originOf(deps, request)}/service/token"`, `service="${deps.service}"`];
  if (missing.scope !== undefined) parameters.push(`scope="${missing.scope}"`);
  if (request.headers.authorization !== undefined)
    parameters.push(`error="${missing.known ? 'insufficient_scope' : 'invalid_token'}"`);
  return new RegistryError('unauthorized', message, {
    headers: { 'www-authenticate': `Bearer ${parameters.join(',')}` },
  });
}

/** Where clients reach us: as configured, else as this request did. The header is the client's, so it is checked. */
function originOf(deps: RegistryDeps, request: FastifyRequest): string {
  if (deps.publicUrl !== undefined) return deps.publicUrl.replace(/\/+$/, '');
  const host = HOST.test(request.host) ? request.host : 'localhost';
  return `${request.protocol}://${host}`;
}
