import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isUnavailable } from '../db/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { projectOf } from '../model/project-name.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import type { AccessControl } from './access.ts';
import type { Accounts } from './accounts.ts';
import { parseAuthorization } from './authorization.ts';
import { AuthError } from './errors.ts';
import { ANONYMOUS, type Authenticated, actorOf, type Principal } from './principal.ts';
import type { RateLimits } from './rate-limits.ts';
import type { RegistryTokens } from './registry-token.ts';
import { BYPASS, intersect } from './rights.ts';
import { type Access, formatScopes, parseScopes } from './scope.ts';

export interface TokenServiceDeps {
  readonly accounts: Accounts;
  readonly tokens: RegistryTokens;
  readonly access: Pick<AccessControl, 'see'>;
  readonly ledger: Pick<Ledger, 'record'>;
  readonly clock: Clock;
  readonly limits?: Pick<RateLimits, 'spend'> | undefined;
  /** Life of bearer tokens; 300 s unless told. Clients raise anything below 60 s to 60. */
  readonly tokenSeconds?: number;
  /** Life of refresh tokens; 30 days unless told. */
  readonly refreshSeconds?: number;
}

const PATH = '/service/token';
const FORM = 'application/x-www-form-urlencoded';
const FORM_LIMIT = 65_536;
const TOKEN_SECONDS = 300;
/** A database that is away is seldom back at once. */
const RETRY_AFTER_SECONDS = '10';
const REFRESH_SECONDS = 30 * 86_400;

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())]).default([]);
const querySchema = z.object({ scope: texts, offline_token: z.string().optional() });
const formSchema = z.object({
  grant_type: z.string(),
  scope: texts,
  username: z.string().optional(),
  password: z.string().optional(),
  refresh_token: z.string().optional(),
  access_type: z.string().optional(),
});

interface Grant {
  readonly who: Authenticated | undefined;
  readonly scopes: readonly string[];
  readonly offline: boolean;
}

/**
 * The Docker token service, a Fastify plugin: GET with Basic or nobody, POST with the OAuth 2 grants `password` and
 * `refresh_token` (distribution, "Token Authentication Specification" and "Oauth2 Token Authentication"). A token gives what
 * was asked for as far as the user has it; a token that passes the gate must be asked for (`bypass`) and is written down.
 */
export async function tokenService(app: FastifyInstance, deps: TokenServiceDeps): Promise<void> {
  app.addContentTypeParser(FORM, { parseAs: 'string', bodyLimit: FORM_LIMIT }, (_request, body, done) =>
    done(null, readForm(String(body))),
  );
  app.setErrorHandler((error, _request, reply) => refuse(reply, error));

  app.get(PATH, async (request, reply) => {
    const query = parse(querySchema, request.query);
    const who = await fromHeader(deps, request);
    spend(deps, request, who);
    return answer(deps, reply, { who, scopes: query.scope, offline: query.offline_token === 'true' });
  });

  app.post(PATH, async (request, reply) => {
    const form = parse(formSchema, request.body);
    const who = await fromForm(deps, request, form);
    spend(deps, request, who);
    return answer(deps, reply, { who, scopes: form.scope, offline: form.access_type === 'offline' });
  });
}

function spend({ limits }: TokenServiceDeps, { ip }: FastifyRequest, who: Authenticated | undefined): void {
  const refused = limits?.spend('pulls', who?.principal.name ?? '', ip);
  if (!refused) return;
  const { message, retryAfterSeconds } = refused;
  throw new AuthError('throttled', message, { retryAfterSeconds });
}

async function fromHeader(deps: TokenServiceDeps, request: FastifyRequest): Promise<Authenticated | undefined> {
  const credentials = parseAuthorization(request.headers.authorization);
  if (credentials.kind === 'none') return undefined;
  if (credentials.kind !== 'basic') throw wrongCredentials();
  return (await deps.accounts.authenticate(credentials.name, credentials.password, request.ip)) ?? wrong();
}

async function fromForm(
  deps: TokenServiceDeps,
  request: FastifyRequest,
  form: z.infer<typeof formSchema>,
): Promise<Authenticated> {
  switch (form.grant_type) {
    case 'password':
      return (await deps.accounts.authenticate(form.username ?? '', form.password ?? '', request.ip)) ?? wrong();
    case 'refresh_token': {
      const { subject, mark } = await deps.tokens.verifyRefresh(form.refresh_token ?? '');
      return (await deps.accounts.holderOf(subject, mark)) ?? wrong();
    }
    default:
      throw new AuthError(
        'scope_invalid',
        `grant_type ${JSON.stringify(form.grant_type.slice(0, 60))} is not known; use password or refresh_token`,
      );
  }
}

async function answer(deps: TokenServiceDeps, reply: FastifyReply, grant: Grant): Promise<FastifyReply> {
  const { tokenSeconds = TOKEN_SECONDS, refreshSeconds = REFRESH_SECONDS } = deps;
  const principal: Principal = grant.who?.principal ?? ANONYMOUS;
  const access = await intersect(deps.access, principal, parseScopes(grant.scopes));
  await recordBypass(deps, principal, access);
  const issuedAt = deps.clock.now();
  const subject = grant.who?.principal.name ?? '';
  const mark = grant.who?.mark ?? '';
  const token = await deps.tokens.issue({ subject, mark, access }, tokenSeconds);
  const refresh =
    grant.offline && grant.who ? await deps.tokens.issueRefresh({ subject, mark }, refreshSeconds) : undefined;
  return reply.header('cache-control', 'no-store').send({
    token,
    access_token: token,
    token_type: 'Bearer',
    expires_in: tokenSeconds,
    issued_at: toRfc3339(issuedAt),
    scope: formatScopes(access),
    ...(refresh === undefined ? {} : { refresh_token: refresh }),
  });
}

async function recordBypass(deps: TokenServiceDeps, principal: Principal, access: readonly Access[]): Promise<void> {
  for (const { name, actions } of access) {
    if (!actions.includes(BYPASS)) continue;
    await deps.ledger.record({
      actor: actorOf(principal),
      action: 'gate.bypass-token',
      target: `repository/${name}`,
      project: projectOf(name),
      details: { actions },
    });
  }
}

/** Repeated fields become lists, as in a query. */
function readForm(body: string): Record<string, string | string[]> {
  const form: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  const fields = new URLSearchParams(body);
  for (const key of new Set(fields.keys())) {
    const values = fields.getAll(key);
    form[key] = values.length === 1 ? (values[0] ?? '') : values;
  }
  return form;
}

function parse<Value>(schema: z.ZodType<Value>, input: unknown): Value {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AuthError(
    'scope_invalid',
    `token request: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unreadable'}`,
  );
}

function wrong(): never {
  throw wrongCredentials();
}

function wrongCredentials(): AuthError {
  return new AuthError(
    'unauthenticated',
    'name, password or refresh token is wrong, or the account is disabled or has expired',
  );
}

/** Errors in the form of the distribution specification, which every client prints. */
function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  if (isUnavailable(error)) {
    void reply.header('retry-after', RETRY_AFTER_SECONDS);
    return send(reply, 503, 'UNAVAILABLE', `${error.message}; try again later`);
  }
  if (!(error instanceof AuthError)) {
    const status = (error as { statusCode?: number }).statusCode;
    if (status === undefined || status >= 500) throw error;
    return send(reply, status, 'UNSUPPORTED', 'the token request cannot be read');
  }
  switch (error.code) {
    case 'unauthenticated':
    case 'token_invalid':
    case 'secret_mistyped':
      void reply.header('www-authenticate', 'Basic realm="breakwater", charset="UTF-8"');
      return send(reply, 401, 'UNAUTHORIZED', error.message);
    case 'throttled':
      void reply.header('retry-after', String(error.retryAfterSeconds ?? 1));
      return send(reply, 429, 'TOOMANYREQUESTS', error.message);
    case 'scope_invalid':
      return send(reply, 400, 'UNSUPPORTED', error.message);
    default:
      throw error;
  }
}

function send(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.status(status).send({ errors: [{ code, message }] });
}
