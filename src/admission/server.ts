import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import Fastify, { type FastifyInstance } from 'fastify';
import { EvaluationError } from '../constraints/evaluate.ts';
import { MOST_JUDGED } from '../constraints/image-bounds.ts';
import { type ImageFacts, type ImageFactsSource, NO_FACTS } from '../constraints/image-facts.ts';
import { referencesOf } from '../constraints/workload.ts';
import type { Reference } from '../oci/reference.ts';
import { closeWithin } from '../platform/close-within.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { within } from '../platform/within.ts';
import { type ClientCheck, clientOptions, refuseOtherNames } from './client-check.ts';
import { limitConnections } from './connection-limit.ts';
import type { ConstraintSource } from './constraint-source.ts';
import { type Exchange, exchangeOf } from './exchange.ts';
import { reviewIgnoreLabel } from './label-guard.ts';
import { MUTATE_PATH } from './mutating-configuration.ts';
import { type AdmissionRequest, LARGEST_REVIEW, parseReview, ReviewError, type ReviewVersion } from './parse-review.ts';
import {
  type PinningOptions,
  type PinningResponse,
  pinImages,
  pinnableReferences,
  pinningResponse,
} from './pinning.ts';
import { readPlainRequests } from './plain-connections.ts';
import { JSON_TYPE } from './plain-head.ts';
import { probeAnswer } from './probe-answer.ts';
import { type AdmissionResponse, asReview, review } from './review.ts';
import { createReviewBodies, type HeldBody } from './review-bodies.ts';
import { type ConstraintSurroundings, reviewConstraint } from './review-constraint.ts';
import type { ReviewMemory } from './review-memory.ts';
import { createTurns } from './turns.ts';
import { decidedWithin, Undecided } from './undecided.ts';

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
  /** Absent: whoever reaches the port may call, and what is recorded is only as true as that. */
  readonly clients?: ClientCheck | undefined;
  /** Namespaces that may carry the ignore label: names, `prefix*`, `*suffix`. */
  readonly exemptNamespaces: readonly string[];
  /** What constraints come to here, for whoever applies them. */
  readonly constraints?: ConstraintSurroundings;
  /** What decisions remember of each other. */
  readonly memory?: ReviewMemory;
  /** Serves `/v1/mutate`, which puts digests behind tags. */
  readonly pinning?: PinningOptions;
  /** Name of this replica, for the answers to probes. */
  readonly replica?: string;
  /** Milliseconds until a request counts as undecided; less than the webhook configuration gives. */
  readonly deadlineMs?: number;
  /** Told about every decision, for metrics and for violations of what lives too short to be audited. */
  onDecision?(decision: Decision): void;
  /** Told about every request that is left to the failure policy, and why. */
  onUndecided?(why: string): void;
}

export interface Decision {
  readonly request: AdmissionRequest;
  readonly response: AdmissionResponse;
  readonly milliseconds: number;
}

type Decide = (
  request: AdmissionRequest,
  /** True once nobody waits for the answer any more. */
  outOfTime: () => boolean,
) => AdmissionResponse | PinningResponse | Promise<AdmissionResponse | PinningResponse>;

export interface WebhookServer {
  /** Gives the port, which differs from the one asked for when that was 0. */
  listen(address: { host: string; port: number }): Promise<number>;
  /** Serves another certificate from the next connection on; open connections stay. */
  replaceCertificate(tls: TlsMaterial): void;
  /** From now on every answer is the last of its connection, so that callers move to other replicas. */
  drain(): void;
  close(): Promise<void>;
  readonly app: FastifyInstance<Server>;
}

/** Longer than the API server keeps idle connections, so that it and not we close them. */
const KEEP_ALIVE_MS = 120_000;
/** Until a handshake, the headers, or a whole request must have come: the API server sends all at once and gives up after 3 s. */
const RECEIVED_MS = 5000;
const LOOK_EVERY_MS = 1000;
const DEADLINE_MS = 2000;
/** Each costs up to 100 kB; an API server opens one for every review that it asks at the same time. */
const MOST_CONNECTIONS = 1000;
/** Bodies of all requests together, received or waiting; a few of the largest, thousands of ordinary ones. */
const MOST_BYTES = 24 * 1024 * 1024;
/** Reviews that wait for something that is not in memory: one for each connection, unless a caller sends many in advance. */
const MOST_UNDECIDED = 1000;
/** From here on a review waits for its turn: ordinary pods have 2 to 20 kB. */
const LARGE_REVIEW = 32 * 1024;
/** Well below the deadline: the source of the images is judged without them. */
const FACTS_MS = 1000;
/** Images of one review that are looked up; no real workload has as many, and each costs the database a few reads. */
const MOST_LOOKED_UP = 256;
const ONLY_SOURCES = 'only where the images come from was checked';
const FACTS_MISSING = `the verdicts of the registry could not be read in time: ${ONLY_SOURCES}`;
const STATUS_REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  404: 'NotFound',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};
const PATHS = '/v1/admit, /v1/admitlabel and /v1/constraints';

/**
 * The admission webhook over TLS: `/v1/admit` judges workloads, `/v1/admitlabel` guards the ignore label,
 * `/v1/constraints` looks at constraints that are applied, `/v1/mutate` pins where that is wanted. Whatever goes wrong on our side ends in a status of 400 or
 * more and never in a review: a review that refuses would deny under every failure policy, a failed call does what the
 * policy says.
 */
export function createWebhookServer(deps: WebhookDeps): WebhookServer {
  const clients = clientOptions(deps.clients);
  const bodies = createReviewBodies({ largest: LARGEST_REVIEW, most: MOST_BYTES });
  const turns = createTurns();
  let undecided = 0;
  const routes = new Map<string, Decide>();
  let draining = false;
  const app = Fastify<Server>({
    logger: false,
    serverFactory(others) {
      const settings = {
        ...deps.tls,
        ...clients,
        minVersion: 'TLSv1.2' as const,
        handshakeTimeout: RECEIVED_MS,
        headersTimeout: RECEIVED_MS,
        requestTimeout: RECEIVED_MS,
        connectionsCheckingInterval: LOOK_EVERY_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
      };
      // Reviews go past the framework, which adds nothing to them but what it costs.
      return createServer(settings, (request, response) => {
        if (!takeReview(request, response)) others(request, response);
      });
    },
    bodyLimit: LARGEST_REVIEW,
    forceCloseConnections: 'idle',
  });
  const plain = readPlainRequests(app.server, {
    route: routeTo,
    take,
    bodies,
    largest: LARGEST_REVIEW,
    receivedMs: RECEIVED_MS,
    keepAliveMs: KEEP_ALIVE_MS,
    lookEveryMs: LOOK_EVERY_MS,
    isLast: isDraining,
    carries: limitConnections(app.server, MOST_CONNECTIONS),
  });
  if (deps.clients)
    refuseOtherNames(app.server, deps.clients, (why) =>
      deps.logger.warn({ why }, 'a caller of the webhook was refused'),
    );
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(JSON_TYPE, (request, payload, done) =>
    bodies.read(payload, lengthOf(request.headers['content-length']), done),
  );
  app.setNotFoundHandler((asked, reply) => {
    reply.hijack();
    exchangeOf(asked.raw, reply.raw, isDraining).send(404, statusText(404, `this webhook serves ${PATHS}`));
  });
  app.setErrorHandler((error, asked, reply) => {
    reply.hijack();
    refuse(exchangeOf(asked.raw, reply.raw, isDraining), error);
  });

  function isDraining(): boolean {
    return draining;
  }
  function route(path: string, decide: Decide): void {
    routes.set(path, decide);
    app.post<{ Body: HeldBody | undefined }>(path, (asked, reply) => {
      reply.hijack();
      decideInTurn(decide, asked.body, exchangeOf(asked.raw, reply.raw, isDraining));
    });
  }
  function routeTo(target: string): Decide | undefined {
    const end = target.indexOf('?');
    return routes.get(end < 0 ? target : target.slice(0, end));
  }
  function take(decide: Decide, exchange: Exchange, error: Error | null, body?: HeldBody): void {
    if (error) refuse(exchange, error);
    else decideInTurn(decide, body, exchange);
  }
  /** False for what is to be looked at more closely, as no API server sends it. */
  function takeReview(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, url = '', headers } = request;
    if (method !== 'POST' || headers['content-type'] !== JSON_TYPE) return false;
    const decide = routeTo(url);
    if (decide === undefined) return false;
    const exchange = exchangeOf(request, response, isDraining);
    bodies.read(request, lengthOf(headers['content-length']), (error, body) => take(decide, exchange, error, body));
    return true;
  }
  function decideInTurn(decide: Decide, body: HeldBody | undefined, exchange: Exchange): void {
    const arrived = performance.now();
    if (body === undefined || body.bytes.length <= LARGE_REVIEW) {
      body?.release();
      answer(decide, body?.bytes ?? '', exchange, arrived);
      return;
    }
    turns.take(() => {
      body.release();
      if (!exchange.isGone()) answer(decide, body.bytes, exchange, arrived);
    });
  }
  /** What is decided from memory is answered at once: promises and timers of their own cost as much as such a decision. */
  function answer(decide: Decide, body: Buffer | string, exchange: Exchange, arrived: number): void {
    try {
      const left = () => (deps.deadlineMs ?? DEADLINE_MS) - (performance.now() - arrived);
      if (left() < 0) throw new Undecided(503, 'too many large reviews came at once: it was not its turn in time');
      if (undecided >= MOST_UNDECIDED) throw new Undecided(503, 'too many reviews wait to be decided');
      const request = parseReview(body);
      const decided = decide(request, () => left() < 0);
      if (!(decided instanceof Promise)) {
        exchange.send(200, textOf(decided, request.reviewVersion));
        return;
      }
      undecided += 1;
      decidedWithin(decided, deps.deadlineMs ?? DEADLINE_MS)
        .finally(() => {
          undecided -= 1;
        })
        .then(
          (response) => exchange.send(200, textOf(response, request.reviewVersion)),
          (error: unknown) => fail(exchange, error),
        );
    } catch (error) {
      fail(exchange, error);
    }
  }
  function fail(exchange: Exchange, error: unknown): void {
    if (statusOf(error) !== 400)
      deps.logger.error({ error: messageOf(error) }, 'an admission review is left to the failure policy');
    refuse(exchange, error);
  }
  function refuse(exchange: Exchange, error: unknown): void {
    const code = statusOf(error);
    const why = messageOf(error);
    deps.onUndecided?.(why);
    exchange.send(code, statusText(code, why));
  }

  const replica = deps.replica ?? 'breakwater';
  route('/v1/admit', (request, outOfTime) => decide(deps, request, replica, outOfTime));
  route('/v1/admitlabel', (request) => reviewIgnoreLabel(request, deps.exemptNamespaces));
  route('/v1/constraints', (request) => reviewConstraint(request, deps.constraints));
  const { pinning } = deps;
  if (pinning) route(MUTATE_PATH, (request) => pin(deps, request, pinning));

  return {
    app,
    async listen({ host, port }) {
      await app.listen({ host, port });
      const address = app.server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    replaceCertificate: (tls) => app.server.setSecureContext({ ...tls, ...clients, minVersion: 'TLSv1.2' }),
    drain() {
      draining = true;
    },
    close() {
      // Nor may a connection that is being answered outlive it.
      draining = true;
      plain.closeIdle();
      return closeWithin(app, RECEIVED_MS);
    },
  };
}

function pin(
  deps: WebhookDeps,
  request: AdmissionRequest,
  options: PinningOptions,
): PinningResponse | Promise<PinningResponse> {
  const pinned = (facts: ImageFacts | string) =>
    pinningResponse(request.uid, pinImages((typeof facts === 'string' ? NO_FACTS : facts).digests, request, options));
  const facts = factsInTime(deps, pinnableReferences(request));
  return facts instanceof Promise ? facts.then(pinned) : pinned(facts);
}

function decide(
  deps: WebhookDeps,
  request: AdmissionRequest,
  replica: string,
  outOfTime: () => boolean,
): AdmissionResponse | Promise<AdmissionResponse> {
  const started = performance.now();
  const rules = deps.source.rules();
  // Not "allowed": the failure policy of the webhook configuration says what an undecided request means.
  if (rules === undefined) throw new Undecided(503, 'the constraints have not been read yet');
  const probed = probeAnswer(request, replica);
  if (probed) return probed;
  const { namespace } = request;
  const looking =
    namespace && deps.source.namespaceLabels(namespace) === undefined
      ? deps.source.ensureNamespace?.(namespace)
      : undefined;
  const concluded = (facts: ImageFacts | string) => {
    const response = review(
      {
        ...(typeof facts === 'string' ? NO_FACTS : facts),
        outOfTime,
        namespaceLabels: (name) => deps.source.namespaceLabels(name),
        ...(deps.memory ? { memory: deps.memory } : {}),
      },
      rules,
      request,
      typeof facts === 'string' ? [facts] : [],
    );
    deps.onDecision?.({ request, response, milliseconds: performance.now() - started });
    return response;
  };
  const judged = () => {
    const facts = factsInTime(deps, referencesOf(request.object, MOST_JUDGED.own));
    return facts instanceof Promise ? facts.then(concluded) : concluded(facts);
  };
  return looking instanceof Promise ? looking.then(judged) : judged();
}

/**
 * What is known about the images of a request. Late, failed or asked for too many it is a sentence that says so: the
 * source of the images is judged all the same.
 */
function factsInTime(
  deps: WebhookDeps,
  references: readonly Reference[],
): ImageFacts | string | Promise<ImageFacts | string> {
  if (references.length === 0) return NO_FACTS;
  if (references.length > MOST_LOOKED_UP) {
    deps.logger.warn({ images: references.length }, 'an admission review names too many images to look all of them up');
    return `this names ${references.length} different images, and the verdicts of the registry are asked for at most ${MOST_LOOKED_UP} of one object: ${ONLY_SOURCES}`;
  }
  const unreadable = (error: unknown) => {
    deps.logger.error({ error: messageOf(error) }, 'verdicts could not be read for an admission review');
    return FACTS_MISSING;
  };
  try {
    const facts = deps.facts.factsAbout(references);
    return facts instanceof Promise
      ? within(facts, FACTS_MS)
          .then((known) => known ?? FACTS_MISSING)
          .catch(unreadable)
      : facts;
  } catch (error) {
    return unreadable(error);
  }
}

function lengthOf(header: string | undefined): number | undefined {
  const length = Number(header);
  return header === undefined || Number.isNaN(length) ? undefined : length;
}

/** Most answers only allow; their text needs no serialiser. */
function textOf(response: AdmissionResponse | PinningResponse, version: ReviewVersion = 'admission.k8s.io/v1'): string {
  if (response.allowed && Object.keys(response).length === 2) {
    return `{"apiVersion":"${version}","kind":"AdmissionReview","response":{"uid":${JSON.stringify(response.uid)},"allowed":true}}`;
  }
  return JSON.stringify(asReview(response, version));
}

function statusText(code: number, message: string): string {
  const reason = STATUS_REASONS[code] ?? 'InternalError';
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code });
}

function statusOf(error: unknown): number {
  if (error instanceof ReviewError) return 400;
  if (error instanceof Undecided) return error.status;
  if (error instanceof EvaluationError) return error.code === 'out_of_time' ? 504 : 503;
  const code = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  return typeof code === 'number' && code >= 400 ? code : 500;
}
