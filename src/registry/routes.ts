import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authenticate } from './access.ts';
import { getBlob, removeBlob } from './blob-routes.ts';
import type { RegistryDeps } from './deps.ts';
import { RegistryError } from './errors.ts';
import { type Exchange, sendJson } from './exchange.ts';
import { errorHandler } from './http-errors.ts';
import { getCatalog, getReferrers, getTags } from './listing-routes.ts';
import { getManifest, putManifest, removeManifest } from './manifest-routes.ts';
import { inNamespace } from './namespace.ts';
import { parseTarget, type Target } from './paths.ts';
import { appendChunk, cancelUpload, finishUpload, startUpload, uploadStatus } from './upload-routes.ts';

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
const METHODS: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * The distribution API below `/v2` as a Fastify plugin: `app.register(registryRoutes, deps)`. Bodies are never parsed or
 * held in memory. The application must not limit the time of a request (`requestTimeout: 0`), only of a silent socket.
 */
export async function registryRoutes(app: FastifyInstance, deps: RegistryDeps): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _body, done) => done(null));
  app.setErrorHandler(errorHandler(deps.logger));
  for (const url of ['/v2', '/v2/*']) {
    app.route({
      method: [...METHODS],
      url,
      exposeHeadRoute: false,
      handler: (request, reply) => answer(deps, request, reply),
    });
  }
}

async function answer(deps: RegistryDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  reply.header('docker-distribution-api-version', 'registry/2.0');
  const url = request.raw.url ?? '';
  const mark = url.indexOf('?');
  const query = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1));
  const target = parseTarget(mark === -1 ? url : url.slice(0, mark));
  if (!target) throw new RegistryError('unsupported', 'this is not an address of the distribution API');
  const exchange = { request, reply, query };
  const work = dispatch(deps, exchange, await inNamespace(deps, exchange, target), request.method as Method);
  if (!work) throw new RegistryError('method_not_allowed', `${request.method} is not possible here`);
  return work;
}

function dispatch(
  deps: RegistryDeps,
  exchange: Exchange,
  target: Target,
  method: Method,
): Promise<FastifyReply> | undefined {
  const reads = method === 'GET' || method === 'HEAD';
  switch (target.kind) {
    case 'base':
      return reads ? getBase(deps, exchange) : undefined;
    case 'catalog':
      return reads ? getCatalog(deps, exchange) : undefined;
    case 'tags':
      return reads ? getTags(deps, exchange, target.repository) : undefined;
    case 'referrers':
      return reads ? getReferrers(deps, exchange, target.repository, target.digest) : undefined;
    case 'manifest':
      if (reads) return getManifest(deps, exchange, target.repository, target.reference);
      if (method === 'PUT') return putManifest(deps, exchange, target.repository, target.reference);
      return method === 'DELETE' ? removeManifest(deps, exchange, target.repository, target.reference) : undefined;
    case 'blob':
      if (reads) return getBlob(deps, exchange, target.repository, target.digest);
      return method === 'DELETE' ? removeBlob(deps, exchange, target.repository, target.digest) : undefined;
    case 'uploads':
      return method === 'POST' ? startUpload(deps, exchange, target.repository) : undefined;
    default:
      return dispatchUpload(deps, exchange, target, method);
  }
}

function dispatchUpload(
  deps: RegistryDeps,
  exchange: Exchange,
  target: { readonly repository: string; readonly id: string },
  method: Method,
): Promise<FastifyReply> | undefined {
  switch (method) {
    case 'GET':
    case 'HEAD':
      return uploadStatus(deps, exchange, target.repository, target.id);
    case 'PATCH':
      return appendChunk(deps, exchange, target.repository, target.id);
    case 'PUT':
      return finishUpload(deps, exchange, target.repository, target.id);
    case 'DELETE':
      return cancelUpload(deps, exchange, target.repository, target.id);
    default:
      return undefined;
  }
}

/** `/v2/` tells clients that they are right here, and with a challenge where to log in. */
async function getBase(deps: RegistryDeps, { request, reply }: Exchange): Promise<FastifyReply> {
  await authenticate(deps, request);
  return sendJson(reply, 'application/json', {});
}
