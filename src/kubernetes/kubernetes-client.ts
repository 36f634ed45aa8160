import { readFileSync } from 'node:fs';
import { Agent, type Dispatcher, request } from 'undici';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { readBounded } from '../platform/streams.ts';
import { KubernetesError, type KubernetesErrorCode } from './errors.ts';
import type { ClusterAccess } from './kubeconfig.ts';

/** The few calls to an API server that audit and watch need. All throw `KubernetesError`. */
export interface KubernetesClient {
  get(path: string, query?: Readonly<Record<string, string>>): Promise<unknown>;
  create(path: string, object: unknown): Promise<unknown>;
  /**
   * JSON merge patch (RFC 7386), or Kubernetes' strategic one, which merges lists by key. With a resource version in it,
   * `conflict` when somebody else was faster.
   */
  patch(path: string, patch: unknown, kind?: PatchKind): Promise<unknown>;
  /** DELETE of one object; `not_found` when it is gone already. */
  remove(path: string): Promise<void>;
  /** A reply in the first of the forms asked for that the server speaks, as it comes. */
  read(path: string, wanted: WantedReply): Promise<Reply>;
  /** An open reply that goes on, for watches. */
  stream(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}

export interface WantedReply {
  readonly query: Readonly<Record<string, string>>;
  /** Value of the Accept header. */
  readonly accept: string;
  readonly signal?: AbortSignal;
  /** A watch: it may be silent for as long as it likes. */
  readonly endless?: boolean;
}

export interface Reply {
  /** Media type without parameters. */
  readonly mediaType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

export type PatchKind = 'merge' | 'strategic';

const PATCH_TYPES: Readonly<Record<PatchKind, string>> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};
const REQUEST_MS = 30_000;
/** A page of 500 objects of up to 1.5 MB can be larger in theory; such a kind is reported as not listable. */
const LARGEST_REPLY = 256 * 1024 * 1024;
const LARGEST_ERROR = 65_536;
const TOKEN_LIFE_MS = 60_000;

const CODES: Readonly<Record<number, KubernetesErrorCode>> = {
  401: 'denied',
  403: 'denied',
  404: 'not_found',
  409: 'conflict',
  410: 'gone',
};

/** A client for one API server. */
export function createKubernetesClient(access: ClusterAccess, clock: Clock): KubernetesClient {
  const connect = {
    timeout: 10_000,
    rejectUnauthorized: !access.insecure,
    ...(access.ca === undefined ? {} : { ca: access.ca }),
    ...(access.serverName === undefined ? {} : { servername: access.serverName }),
    ...access.clientCertificate,
  };
  const agent = new Agent({ connections: 8, connect });
  // Each watch keeps a connection for itself: they must not take those of the requests, and none may wait for another.
  const watching = new Agent({ connections: null, connect });
  const token = tokenReader(access, clock);

  async function send(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    more: {
      query?: Readonly<Record<string, string>>;
      body?: string;
      type?: string;
      signal?: AbortSignal;
      endless?: boolean;
      accept?: string;
    },
  ): Promise<Dispatcher.ResponseData> {
    const bearer = token();
    const url = `${access.server}${path}${more.query ? `?${new URLSearchParams(more.query).toString()}` : ''}`;
    let reply: Dispatcher.ResponseData;
    try {
      reply = await request(url, {
        dispatcher: more.endless ? watching : agent,
        method,
        headers: {
          accept: more.accept ?? 'application/json',
          'user-agent': 'breakwater',
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
          ...(more.type === undefined ? {} : { 'content-type': more.type }),
        },
        headersTimeout: REQUEST_MS,
        bodyTimeout: more.endless ? 0 : REQUEST_MS,
        ...(more.body === undefined ? {} : { body: more.body }),
        ...(more.signal === undefined ? {} : { signal: more.signal }),
      });
    } catch (error) {
      throw new KubernetesError(
        'unreachable',
        `the API server ${access.server} cannot be reached: ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
    if (reply.statusCode >= 200 && reply.statusCode < 300) return reply;
    const text = (
      await readBounded(reply.body, LARGEST_ERROR, 'an error reply').catch(() => Buffer.alloc(0))
    ).toString();
    throw new KubernetesError(
      CODES[reply.statusCode] ?? 'unexpected_reply',
      `${method} ${path} answered ${reply.statusCode}: ${statusMessage(text)}`,
    );
  }

  return {
    get: async (path, query) => json((await send('GET', path, query ? { query } : {})).body, path),
    create: async (path, object) =>
      json((await send('POST', path, { body: JSON.stringify(object), type: 'application/json' })).body, path),
    patch: async (path, patch, kind = 'merge') =>
      json((await send('PATCH', path, { body: JSON.stringify(patch), type: PATCH_TYPES[kind] })).body, path),
    async remove(path) {
      await (await send('DELETE', path, {})).body.dump();
    },
    async read(path, wanted) {
      const { headers, body } = await send('GET', path, wanted);
      const [mediaType = ''] = String(headers['content-type'] ?? '').split(';');
      return { mediaType: mediaType.trim(), body };
    },
    stream: async (path, query, signal) => (await send('GET', path, { query, signal, endless: true })).body,
    async close() {
      await Promise.all([agent.destroy(), watching.destroy()]);
    },
  };
}

async function json(body: Dispatcher.ResponseData['body'], path: string): Promise<unknown> {
  try {
    return JSON.parse((await readBounded(body, LARGEST_REPLY, `the reply to ${path}`)).toString('utf8'));
  } catch (error) {
    throw new KubernetesError('unexpected_reply', `the reply to ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Gives the bearer token; one from a file is read again every minute. */
function tokenReader(access: ClusterAccess, clock: Clock): () => string | undefined {
  const { tokenFile } = access;
  if (tokenFile === undefined) return () => access.token;
  let held: { token: string; readAt: number } | undefined;
  return () => {
    if (held === undefined || clock.now() - held.readAt > TOKEN_LIFE_MS) {
      try {
        held = { token: readFileSync(tokenFile, 'utf8').trim(), readAt: clock.now() };
      } catch (error) {
        throw new KubernetesError('denied', `cannot read the token in ${tokenFile}: ${messageOf(error)}`, {
          cause: error,
        });
      }
    }
    return held.token;
  };
}

/** The message of a Kubernetes Status, or the beginning of whatever it is. */
function statusMessage(text: string): string {
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status === 'object' && status !== null && 'message' in status)
      return String(status.message).slice(0, 500);
  } catch {
    // Not JSON: a proxy in front, most likely.
  }
  return text.slice(0, 200);
}
