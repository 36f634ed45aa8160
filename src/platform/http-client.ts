import { Agent, type Dispatcher, request } from 'undici';
import { CodedError, messageOf } from './errors.ts';
import { readBounded } from './streams.ts';

export class HttpError extends CodedError<'unreachable' | 'timeout' | 'redirect_refused'> {}

export interface HttpRequest {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Dispatcher.DispatchOptions['body'];
  readonly signal?: AbortSignal;
  /** Sent to the first host only; a redirect to another origin never sees it. */
  readonly authorization?: string;
}

export interface HttpResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /** Must be read or `discard`ed. */
  readonly body: AsyncIterable<Uint8Array>;
  readText(limit: number): Promise<string>;
  discard(): Promise<void>;
  /** Where the reply came from, after redirects. */
  readonly url: string;
}

export interface HttpClient {
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

export interface HttpClientOptions {
  readonly userAgent: string;
  /** Until a connection stands. */
  readonly connectTimeoutMs?: number;
  /** Until headers arrive, and between two pieces of a body. */
  readonly idleTimeoutMs?: number;
  /** Tries for requests that may be repeated (GET, HEAD) when the connection fails. */
  readonly attempts?: number;
}

const MAX_REDIRECTS = 5;
const RETRY_DELAY_MS = 200;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * An HTTP client for servers that an administrator configured: time limits, few retries, redirects without credentials
 * across origins and never from https to http, addresses without secrets in errors. Throws `HttpError`.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { connectTimeoutMs = 10_000, idleTimeoutMs = 30_000, attempts = 2 } = options;
  const agent = new Agent({
    connect: { timeout: connectTimeoutMs },
    headersTimeout: idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    connections: 16,
  });

  async function once(
    target: URL,
    sent: HttpRequest,
    authorization: string | undefined,
  ): Promise<Dispatcher.ResponseData> {
    const headers: Record<string, string> = { 'user-agent': options.userAgent, ...sent.headers };
    if (authorization) headers['authorization'] = authorization;
    const repeatable =
      sent.body === undefined && (sent.method === undefined || sent.method === 'GET' || sent.method === 'HEAD');
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await request(target, {
          dispatcher: agent,
          method: sent.method ?? 'GET',
          headers,
          ...(sent.body === undefined ? {} : { body: sent.body }),
          ...(sent.signal ? { signal: sent.signal } : {}),
        });
      } catch (error) {
        if (!repeatable || attempt >= attempts || sent.signal?.aborted) throw asHttpError(error, target);
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS * attempt));
      }
    }
  }

  return {
    async send(sent) {
      const origin = new URL(sent.url);
      let target = origin;
      for (let hop = 0; ; hop += 1) {
        const authorization = target.origin === origin.origin ? sent.authorization : undefined;
        const reply = await once(target, sent, authorization);
        const location = firstOf(reply.headers['location']);
        const follows = sent.body === undefined && REDIRECTS.has(reply.statusCode) && location !== undefined;
        if (!follows) return asResponse(reply, target);
        await discard(reply.body);
        const next = new URL(location, target);
        if (hop >= MAX_REDIRECTS)
          throw new HttpError('redirect_refused', `${redactUrl(origin)} redirects more than ${MAX_REDIRECTS} times`);
        if (next.protocol !== target.protocol && next.protocol !== 'https:')
          throw new HttpError(
            'redirect_refused',
            `${redactUrl(target)} redirects to ${redactUrl(next)}, which is not https`,
          );
        target = next;
      }
    },
    close: () => agent.close(),
  };
}

/** An address that may be shown and logged: no user, password, query or fragment. */
export function redactUrl(url: URL | string): string {
  const parsed = typeof url === 'string' ? new URL(url) : url;
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}

function asResponse(reply: Dispatcher.ResponseData, url: URL): HttpResponse {
  return {
    status: reply.statusCode,
    header: (name) => joined(reply.headers[name.toLowerCase()]),
    body: reply.body,
    readText: async (limit) =>
      (await readBounded(reply.body, limit, `the reply of ${redactUrl(url)}`)).toString('utf8'),
    discard: () => discard(reply.body),
    url: url.href,
  };
}

/** Frees the connection; a long body is cut instead of read. */
async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  await body.dump({ limit: 65_536 }).catch(() => undefined);
}

/** A header sent several times is a list (RFC 9110 §5.3). */
function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function asHttpError(error: unknown, target: URL): HttpError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const timeout = /TIMEOUT|ETIMEDOUT/.test(code) || (error instanceof Error && error.name === 'TimeoutError');
  return timeout
    ? new HttpError('timeout', `${redactUrl(target)} did not answer in time`, { cause: error })
    : new HttpError('unreachable', `${redactUrl(target)} cannot be reached: ${code || messageOf(error)}`, {
        cause: error,
      });
}
