import { Readable } from 'node:stream';
import { Agent, type Dispatcher, request } from 'undici';

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

export interface WireOptions {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** The distribution protocol with nothing in between: what a test wants to see byte by byte. */
export interface Wire {
  /** `path` may be a whole URL, as in `Location`. Logs in the way the server asks, Basic or Bearer, and asks again. */
  send(
    method: Dispatcher.HttpMethod,
    path: string,
    options?: {
      body?: Buffer;
      /** A body that comes bit by bit; not sent again when the server asks for a login. */
      stream?: () => AsyncIterable<Uint8Array>;
      accept?: string;
      /** Asks for a token of this scope instead of the one the server names, as pushing clients do for all they send. */
      scope?: string;
      headers?: Record<string, string>;
    },
  ): Promise<Reply>;
  close(): Promise<void>;
}

/** Opens connections to one registry as one user. */
export function openWire({ url, user, password }: WireOptions): Wire {
  const agent = new Agent({ connections: 16 });
  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  /** What authorises, by the scope that was asked for. */
  const known = new Map<string, string>();

  async function once(method: Dispatcher.HttpMethod, target: URL, options: NonNullable<Parameters<Wire['send']>[2]>) {
    const authorization = known.get(options.scope ?? scopeKey(method, target));
    const reply = await request(target, {
      dispatcher: agent,
      method,
      body: options.stream ? Readable.from(options.stream()) : (options.body ?? null),
      headers: {
        ...(options.accept === undefined ? {} : { accept: options.accept }),
        ...(authorization === undefined ? {} : { authorization }),
        ...options.headers,
      },
    });
    return {
      status: reply.statusCode,
      headers: reply.headers,
      body: Buffer.from(await reply.body.arrayBuffer()),
    } satisfies Reply;
  }

  async function authorise(challenge: string, scope: string | undefined): Promise<string> {
    if (!/^bearer /i.test(challenge)) return basic;
    const parameters = new Map([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    const realm = new URL(parameters.get('realm') ?? '', url);
    if (scope !== undefined) parameters.set('scope', scope);
    for (const name of ['service', 'scope']) {
      const value = parameters.get(name);
      if (value !== undefined) realm.searchParams.set(name, value);
    }
    const reply = await request(realm, { dispatcher: agent, headers: { authorization: basic } });
    const answer = (await reply.body.json()) as { token?: string };
    if (answer.token === undefined) throw new Error(`the token service answered ${reply.statusCode} without a token`);
    return `Bearer ${answer.token}`;
  }

  return {
    async send(method, path, options = {}) {
      const target = new URL(path, url);
      const reply = await once(method, target, options);
      if (reply.status !== 401 || options.stream) return reply;
      const key = options.scope ?? scopeKey(method, target);
      known.set(key, await authorise(String(reply.headers['www-authenticate'] ?? ''), options.scope));
      return once(method, target, options);
    },
    close: () => agent.destroy(),
  };
}

/** Reading and writing a repository are different scopes. */
function scopeKey(method: Dispatcher.HttpMethod, target: URL): string {
  const repository = /^\/v2\/(.+?)\/(?:blobs|manifests|tags|referrers)\//.exec(target.pathname)?.[1] ?? '';
  return `${method === 'GET' || method === 'HEAD' ? 'read' : 'write'} ${repository}`;
}
