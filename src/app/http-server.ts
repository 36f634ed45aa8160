import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import type { Logger } from '../platform/logger.ts';
import { answerBrokenRequest } from './broken-requests.ts';

const IDLE_MS = 90_000;

/**
 * The public server: distribution API, token service, management API. Long pushes must not be cut, so requests have no
 * total time limit; a connection that moves no byte for 90 s is closed.
 */
export function createPublicServer(config: Config, logger: Logger): FastifyInstance {
  const settings = {
    logger: false,
    requestTimeout: 0,
    connectionTimeout: IDLE_MS,
    keepAliveTimeout: IDLE_MS,
    routerOptions: { maxParamLength: 4096 },
    trustProxy: config.trustProxy,
    frameworkErrors: refuse,
    clientErrorHandler: answerBrokenRequest,
  } as const;
  const { tlsCert, tlsKey } = config;
  const app: FastifyInstance =
    tlsCert && tlsKey
      ? Fastify({
          ...settings,
          https: { cert: readFileSync(tlsCert), key: readFileSync(tlsKey) },
        })
      : Fastify(settings);
  let stopping = false;
  app.addHook('preClose', (done) => {
    stopping = true;
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    // Else a client that was being served when the stop began holds it up for as long as it keeps its connection.
    if (stopping) setImmediate(() => app.server.closeIdleConnections());
    logger.debug(
      {
        method: request.method,
        path: request.url.split('?', 1)[0],
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'request',
    );
    done();
  });
  return app;
}

/** What the framework refuses before a route has it, such as an address with a broken escape: in the form of the API asked. */
function refuse(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const registry = (request.raw.url ?? '').startsWith('/v2');
  const body = registry
    ? { errors: [{ code: 'UNSUPPORTED', message: error.message }] }
    : {
        type: 'urn:breakwater:request_invalid',
        title: 'request invalid',
        status: 400,
        detail: error.message,
        code: 'request_invalid',
      };
  reply
    .code(400)
    .type(registry ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8')
    .send(Buffer.from(JSON.stringify(body)));
}
