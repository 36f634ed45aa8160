import type { Server } from 'node:https';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { type ImageFacts, type ImageFactsSource, NO_FACTS } from '../constraints/image-facts.ts';
import { referencesOf } from '../constraints/workload.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { ConstraintSource } from './constraint-source.ts';
import { reviewIgnoreLabel } from './label-guard.ts';
import { type AdmissionRequest, type AdmissionResponse, asReview, parseReview, ReviewError, review } from './review.ts';

/** PEM texts of the certificate (with its chain) and its key. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
}

export interface WebhookDeps {
  readonly source: ConstraintSource;
  readonly facts: ImageFactsSource;
  readonly logger: Logger;
  readonly tls: TlsMaterial;
  /** Namespaces that may carry the ignore label. */
  readonly exemptNamespaces: readonly string[];
  /** Told about every decision, for metrics and for violations of what lives too short to be audited. */
  onDecision?(decision: { request: AdmissionRequest; response: AdmissionResponse }): void;
}

export interface WebhookServer {
  /** Gives the port, which differs from the one asked for when that was 0. */
  listen(address: { host: string; port: number }): Promise<number>;
  /** Serves another certificate from the next connection on; open connections stay. */
  replaceCertificate(tls: TlsMaterial): void;
  close(): Promise<void>;
  readonly app: FastifyInstance<Server>;
}

/** An UPDATE carries the object twice, and etcd takes up to 1.5 MB of it; the API server itself reads 3 MB. */
const LARGEST_REVIEW = 8 * 1024 * 1024;
/** Longer than the API server keeps idle connections, so that it and not we close them. */
const KEEP_ALIVE_MS = 120_000;
const HEADERS_MS = 32_000;
/** Well below the 3 s after which the API server gives up on us. */
const FACTS_MS = 1000;
/** Images of one review that are looked up; no real workload has as many, and each costs the database a few reads. */
const MOST_LOOKED_UP = 256;
const FACTS_MISSING =
  'the verdicts of the registry could not be read in time: only where the images come from was checked';
const STATUS_REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  404: 'NotFound',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  503: 'ServiceUnavailable',
};

/** The admission webhook over TLS: `/v1/admit` judges workloads, `/v1/admitlabel` guards the ignore label. */
export function createWebhookServer(deps: WebhookDeps): WebhookServer {
  const app = Fastify({
    logger: false,
    https: { ...deps.tls, minVersion: 'TLSv1.2' },
    bodyLimit: LARGEST_REVIEW,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
  });
  app.server.headersTimeout = HEADERS_MS;
  // Fastify's own parser refuses keys such as "__proto__", which are legal in annotations; JSON.parse makes them own keys.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(String(body)));
    } catch (error) {
      done(new ReviewError(`the body is not JSON: ${messageOf(error)}`, undefined));
    }
  });
  app.setNotFoundHandler((_request, reply) =>
    sendStatus(reply, 404, 'this webhook serves /v1/admit and /v1/admitlabel'),
  );
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof ReviewError) return sendReviewError(reply, error);
    const code = statusOf(error);
    if (code >= 500) deps.logger.error({ error: messageOf(error) }, 'admission review failed');
    return sendStatus(reply, code, messageOf(error));
  });

  app.post('/v1/admit', async (http, reply) => {
    const request = parseReview(http.body);
    const rules = deps.source.rules();
    // Not "allowed": the failure policy of the webhook configuration says what an undecided request means.
    if (rules === undefined) return sendStatus(reply, 503, 'the constraints have not been read yet');
    const { namespace } = request;
    if (namespace !== undefined && deps.source.namespaceLabels(namespace) === undefined) {
      await deps.source.ensureNamespace?.(namespace);
    }
    const facts = await factsInTime(deps, request);
    const namespaceLabels = (name: string) => deps.source.namespaceLabels(name);
    const response = review(
      { ...(facts ?? NO_FACTS), namespaceLabels },
      rules,
      request,
      facts === undefined ? [FACTS_MISSING] : [],
    );
    deps.onDecision?.({ request, response });
    return asReview(response);
  });
  app.post('/v1/admitlabel', async (http) =>
    asReview(reviewIgnoreLabel(parseReview(http.body), deps.exemptNamespaces)),
  );

  return {
    app,
    async listen({ host, port }) {
      await app.listen({ host, port });
      const address = app.server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    replaceCertificate: (tls) => app.server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' }),
    close: () => app.close(),
  };
}

/**
 * What is known about the images of a request. Late or failed it is undefined: the source of the images is judged all
 * the same, and the warning says that their verdicts were not.
 */
async function factsInTime(deps: WebhookDeps, request: AdmissionRequest): Promise<ImageFacts | undefined> {
  const references = referencesOf([request.object]);
  if (references.length === 0) return NO_FACTS;
  if (references.length > MOST_LOOKED_UP) {
    deps.logger.warn({ images: references.length }, 'an admission review names too many images to look all of them up');
    return undefined;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), FACTS_MS);
  });
  try {
    return await Promise.race([deps.facts.factsAbout(references), late]);
  } catch (error) {
    deps.logger.error({ error: messageOf(error) }, 'verdicts could not be read for an admission review');
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** With a uid the answer is a review that refuses with 400; without one it can only be a Kubernetes Status. */
function sendReviewError(reply: FastifyReply, error: ReviewError): FastifyReply {
  if (error.uid === undefined) return sendStatus(reply, 400, error.message);
  return reply.send(
    asReview({
      uid: error.uid,
      allowed: false,
      status: { code: 400, reason: 'BadRequest', message: error.message },
    }),
  );
}

function sendStatus(reply: FastifyReply, code: number, message: string): FastifyReply {
  const reason = STATUS_REASONS[code] ?? 'InternalError';
  return reply.code(code).send({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code });
}

function statusOf(error: unknown): number {
  const code = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  return typeof code === 'number' && code >= 400 ? code : 500;
}
