import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toRfc3339 } from '../platform/clock.ts';
import type { Access } from './access.ts';
import { parseBasic } from './authenticate.ts';
import { AuthError } from './errors.ts';
import { grantedScopes } from './grants.ts';
import { ANONYMOUS, type Principal } from './principal.ts';
import type { RegistryTokens } from './registry-token.ts';
import { formatScopes, parseScopes } from './scope.ts';
import type { UserStore } from './user-store.ts';

export interface TokenServiceDeps {
  readonly users: UserStore;
  readonly access: Access;
  readonly tokens: RegistryTokens;
}

const LARGEST_FORM = 64 * 1024;

/**
 * The Docker token service, `/service/token`: GET with Basic or without credentials, POST as OAuth2 (password and refresh
 * token grants). Wrong credentials are 401; missing rights are no error, the token just does not hold them.
 */
export async function tokenService(app: FastifyInstance, deps: TokenServiceDeps): Promise<void> {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: LARGEST_FORM },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  app.setErrorHandler(async (error, _request, reply) => {
    if (!(error instanceof AuthError)) throw error;
    return refuse(reply, error.code === 'throttled' ? 429 : 401, error.message);
  });
  app.get('/service/token', (request, reply) => answerGet(deps, request, reply));
  app.post('/service/token', (request, reply) => answerPost(deps, request, reply));
}

async function answerGet(deps: TokenServiceDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = new URL(request.url, 'http://localhost').searchParams;
  const header = request.headers.authorization;
  const basic = parseBasic(header);
  if (header !== undefined && !basic) return refuse(reply, 401, 'the Authorization header is not Basic');
  const principal = basic ? await deps.users.authenticate(basic.name, basic.password, request.ip) : ANONYMOUS;
  if (!principal) return refuse(reply, 401, 'the user name or password is wrong');
  const scopes = await grantedScopes(deps.access, principal, parseScopes(query.getAll('scope')));
  const access = await deps.tokens.issue({ subject: subjectOf(principal), access: scopes, bypass: false }, 'access');
  return reply.send({
    token: access.token,
    access_token: access.token,
    expires_in: access.expiresIn,
    issued_at: toRfc3339(access.issuedAt),
    ...(query.get('offline_token') === 'true' && principal.kind === 'user'
      ? { refresh_token: await refreshToken(deps, principal) }
      : {}),
  });
}

async function answerPost(deps: TokenServiceDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
  const principal = await principalOfGrant(deps, form, request.ip);
  if (principal === 'unsupported') return refuse(reply, 400, 'grant_type must be password or refresh_token');
  if (!principal) return refuse(reply, 401, 'the credentials are wrong or over; log in again');
  const scopes = await grantedScopes(deps.access, principal, parseScopes(form.getAll('scope')));
  const access = await deps.tokens.issue({ subject: subjectOf(principal), access: scopes, bypass: false }, 'access');
  const offline = form.get('access_type') === 'offline' || form.get('grant_type') === 'refresh_token';
  return reply.send({
    access_token: access.token,
    token: access.token,
    scope: formatScopes(scopes),
    expires_in: access.expiresIn,
    issued_at: toRfc3339(access.issuedAt),
    ...(offline ? { refresh_token: form.get('refresh_token') ?? (await refreshToken(deps, principal)) } : {}),
  });
}

async function principalOfGrant(
  deps: TokenServiceDeps,
  form: URLSearchParams,
  address: string,
): Promise<Principal | undefined | 'unsupported'> {
  switch (form.get('grant_type')) {
    case 'password':
      return deps.users.authenticate(form.get('username') ?? '', form.get('password') ?? '', address);
    case 'refresh_token': {
      const claims = await deps.tokens.verify(form.get('refresh_token') ?? '', 'refresh');
      return claims && deps.users.byName(claims.subject);
    }
    default:
      return 'unsupported';
  }
}

async function refreshToken(deps: TokenServiceDeps, principal: Principal): Promise<string> {
  const { token } = await deps.tokens.issue({ subject: subjectOf(principal), access: [], bypass: false }, 'refresh');
  return token;
}

function subjectOf(principal: Principal): string {
  return principal.kind === 'user' ? principal.name : '';
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ errors: [{ code: status === 429 ? 'TOOMANYREQUESTS' : 'UNAUTHORIZED', message }] });
}
