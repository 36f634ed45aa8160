import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AuthError } from '../auth/errors.ts';
import type { Principal } from '../auth/principal.ts';
import { projectOfLabel } from '../auth/robot.ts';
import { messageOf } from '../platform/errors.ts';
import { schemaProblems } from '../platform/schema-problems.ts';
import { nextLink } from '../registry/paging.ts';
import type { AnyEndpoint } from './contract/endpoint.ts';
import type { ApiDeps } from './deps.ts';
import { ApiError, statusOf } from './errors.ts';
import type { BoundEndpoint } from './handler.ts';
import { openApi } from './openapi.ts';
import { exceptionRoutes } from './routes/exceptions.ts';
import { findingRoutes } from './routes/findings.ts';
import { garbageRoutes } from './routes/garbage.ts';
import { guardFeedRoutes } from './routes/guard-feed.ts';
import { notificationRoutes } from './routes/notifications.ts';
import { operationRoutes } from './routes/operations.ts';
import { policyRoutes } from './routes/policies.ts';
import { projectRoutes } from './routes/projects.ts';
import { quarantineRoutes } from './routes/quarantines.ts';
import { robotRoutes } from './routes/robots.ts';
import { simulationRoutes } from './routes/simulations.ts';
import { storageRoutes } from './routes/storage.ts';
import { trustRoutes } from './routes/trust.ts';
import { userRoutes } from './routes/users.ts';
import { verdictRoutes } from './routes/verdicts.ts';
import { vexRoutes } from './routes/vex.ts';
import { violationRoutes } from './routes/violations.ts';
import { whyRoutes } from './routes/why.ts';
import { unstorableText } from './storable.ts';

export type { ApiDeps, GuardAccess } from './deps.ts';

const BASE = '/api/v1';
const LARGEST_BODY = 1024 * 1024;

/** The management API below `/api/v1` as a Fastify plugin. */
export async function apiRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  const bound: readonly BoundEndpoint[] = [
    ...projectRoutes(deps),
    ...policyRoutes(deps),
    ...userRoutes(deps),
    ...robotRoutes(deps),
    ...notificationRoutes(deps),
    ...verdictRoutes(deps),
    ...exceptionRoutes(deps),
    ...findingRoutes(deps),
    ...trustRoutes(deps),
    ...quarantineRoutes(deps),
    ...operationRoutes(deps),
    ...guardFeedRoutes(deps),
    ...garbageRoutes(deps),
    ...storageRoutes(deps),
    ...simulationRoutes(deps),
    ...violationRoutes(deps),
    ...vexRoutes(deps),
    ...whyRoutes(deps),
  ];
  await app.register(async (api) => register(api, bound, deps), { prefix: BASE });
}

function register(app: FastifyInstance, bound: readonly BoundEndpoint[], deps: ApiDeps): void {
  app.setErrorHandler((error, request, reply) => sendProblem(deps, error, request, reply));
  app.setNotFoundHandler((request, reply) => sendProblem(deps, noSuchCall(request), request, reply));
  // An advisory database is read by its handler, piece by piece.
  app.addContentTypeParser('application/octet-stream', (_request, _body, done) => done(null));
  for (const one of bound) {
    const { endpoint } = one;
    app.route({
      method: endpoint.method,
      url: endpoint.path.replace(/\{(\w+)\}/g, ':$1'),
      bodyLimit: LARGEST_BODY,
      exposeHeadRoute: false,
      handler: (request, reply) => answer(deps, one, request, reply),
    });
  }
  const document = openApi(
    bound.map(({ endpoint }) => endpoint),
    deps.version,
  );
  app.get('/openapi.json', async () => document);
}

async function answer(
  deps: ApiDeps,
  { endpoint, handle }: BoundEndpoint,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const by = await deps.principalOf(request.headers.authorization, request.ip);
  spend(deps, by, request);
  const params = checked(endpoint.params, request.params ?? {}, 'path');
  const query = checked(endpoint.query, request.query ?? {}, 'query');
  const project = projectOf(endpoint, params, query);
  const seen = project === undefined ? undefined : await deps.access.requireIn(by, endpoint.permission, project);
  if (project === undefined) requireEverywhere(deps, by, endpoint);
  const body = endpoint.sends === 'stream' ? undefined : checked(endpoint.body, request.body ?? {}, 'body');
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const result = await handle({
    by,
    params,
    query,
    body,
    project: seen ?? { id: '', name: '' },
    signal: gone.signal,
    stream: request.raw,
  });
  reply.code(endpoint.status);
  linkNext(request, reply, query, result);
  if (endpoint.gives === 'text') return reply.type('application/yaml; charset=utf-8').send(result);
  if (endpoint.gives === 'download') return sendDownload(reply, query, String(result));
  return reply.send(result);
}

/** Throws `AuthError`; whoever may not do so for the installation learns what a call for a project is. */
function requireEverywhere({ access }: ApiDeps, by: Principal, endpoint: AnyEndpoint): void {
  try {
    access.require(by, endpoint.permission);
  } catch (error) {
    const way = endpoint.insteadOfEverywhere;
    if (!(error instanceof AuthError) || error.code !== 'denied' || way === undefined) throw error;
    throw new AuthError('denied', `${error.message}; ${way}`, { cause: error });
  }
}

/** Throws `AuthError('throttled')` when the caller has asked too much. */
function spend({ limits }: ApiDeps, by: Principal, { ip }: FastifyRequest): void {
  const refused = limits?.spend('api', by.kind === 'anonymous' ? '' : by.name, ip);
  if (!refused) return;
  const { message, retryAfterSeconds } = refused;
  throw new AuthError('throttled', message, { retryAfterSeconds });
}

/** Names the following page of a list (RFC 8288) beside `next` in it. */
function linkNext(request: FastifyRequest, reply: FastifyReply, query: unknown, result: unknown): void {
  if (typeof result !== 'object' || result === null || !('next' in result) || typeof result.next !== 'string') return;
  const page = Object.entries({ ...(query as Record<string, string | number>), after: result.next });
  reply.header('link', nextLink(request.url.split('?', 1)[0] ?? '', Object.fromEntries(page)));
}

function noSuchCall({ method, url }: FastifyRequest): ApiError {
  const path = url.split('?', 1)[0] ?? '';
  return new ApiError('not_found', `there is no ${method} ${path.slice(0, 200)}; see ${BASE}/openapi.json`);
}

/** The project a permission is asked for: of the path, or the one that an image or a robot belongs to. */
function projectOf(endpoint: AnyEndpoint, params: unknown, query: unknown): string | undefined {
  const { project, robot } = params as { project?: string; robot?: string };
  if (project !== undefined) return project;
  const { image, project: home } = query as { image?: string; project?: string };
  if (endpoint.permission === 'notify:manage' || endpoint.permission === 'notify:read') return home;
  if (endpoint.permission === 'robot:manage') return robot === undefined ? home : projectOfLabel(robot);
  return endpoint.permission === 'verdict:read' ? (image ?? '').split('/', 1)[0] : undefined;
}

function checked(schema: AnyEndpoint['body'], value: unknown, place: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) {
    const odd = unstorableText(result.data);
    if (!odd) return result.data;
    throw new ApiError('request_invalid', `${odd.join('.') || place}: holds a NUL or half a character`);
  }
  throw new ApiError('request_invalid', schemaProblems(schema, result.error, place));
}

function sendDownload(reply: FastifyReply, query: unknown, content: string): FastifyReply {
  const { format } = query as { format?: string };
  const html = format === 'html';
  return reply
    .type(html ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8')
    .header('content-disposition', `attachment; filename="evidence.${html ? 'html' : 'json'}"`)
    .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
    .send(content);
}

/** A database that is away or full is seldom back at once. */
const RETRY_AFTER_SECONDS = 10;

function sendProblem(deps: ApiDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = statusOf(error);
  const own = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  const status = known ?? (own >= 400 && own < 500 ? own : 500);
  if (status === 503)
    deps.logger.error(
      { error: messageOf(error), method: request.method, url: request.url.split('?', 1)[0] },
      'request failed',
    );
  else if (status >= 500)
    deps.logger.error({ err: error, method: request.method, url: request.url.split('?', 1)[0] }, 'request failed');
  const code =
    known === undefined
      ? status === 500
        ? 'internal'
        : 'request_invalid'
      : String((error as { code?: unknown }).code);
  const detail = status === 500 ? 'internal error; the log of the server has the details' : messageOf(error);
  if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  if (status === 401) reply.header('www-authenticate', 'Basic realm="breakwater"');
  if (error instanceof AuthError && error.retryAfterSeconds !== undefined)
    reply.header('retry-after', error.retryAfterSeconds);
  return reply
    .code(status)
    .type('application/problem+json; charset=utf-8')
    .send({ type: `urn:breakwater:${code}`, title: code.replaceAll('_', ' '), status, detail, code });
}
