import { Agent, type Dispatcher, request } from 'undici';

/** Nothing more comes from this server: the connection broke, or it says that it is in trouble while we make trouble. */
export class CutOff extends Error {}

/** An answer that a sound server does not give. */
export class WrongAnswer extends Error {}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

type Headers = Record<string, string>;

/** Requests to one server during one round. */
export interface Client {
  send(method: Dispatcher.HttpMethod, path: string, options?: { body?: Buffer; headers?: Headers }): Promise<Answer>;
  close(): Promise<void>;
}

export interface Account {
  readonly user: string;
  readonly password: string;
}

/** Tokens outlive the server, as its key does, and a round on a machine that does much else takes minutes of their five. */
const TOKEN_MS = 60_000;
/** Longer than anything here takes on a busy machine. */
const PATIENCE_MS = 60_000;

export type Tokens = (url: string) => Promise<string>;

/** One token for everything, asked for anew from time to time. */
export function tokensFor(account: Account, repositories: readonly string[]): Tokens {
  let known: { readonly token: string; readonly until: number } | undefined;
  return async (url) => {
    if (known && performance.now() < known.until) return known.token;
    const scope = repositories.map((name) => `repository:${name}:pull,push,delete`).join(' ');
    const query = new URLSearchParams({ service: 'breakwater', scope }).toString();
    const reply = await request(`${url}/service/token?${query}`, {
      headers: { authorization: basic(account) },
    });
    const { token } = (await reply.body.json()) as { token: string };
    known = { token, until: performance.now() + TOKEN_MS };
    return token;
  };
}

/** `onAnswer` hears of every answer that came. */
export function openClient(url: string, authorization: string, onAnswer: () => void = () => undefined): Client {
  const agent = new Agent({ connections: 24, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  return {
    async send(method, path, { body, headers = {} } = {}) {
      try {
        const reply = await request(new URL(path, url), {
          dispatcher: agent,
          method,
          headers: { authorization, ...headers },
          body: body ?? null,
        });
        const answer = {
          status: reply.statusCode,
          headers: reply.headers,
          body: Buffer.from(await reply.body.arrayBuffer()),
        };
        onAnswer();
        return answer;
      } catch (error) {
        if (isCutOff(error)) throw new CutOff('the connection broke', { cause: error });
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

export function bearer(token: string): string {
  return `Bearer ${token}`;
}

export function basic({ user, password }: Account): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function isCutOff(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /ECONN|EPIPE|UND_ERR_SOCKET|UND_ERR_DESTROYED|UND_ERR_ABORTED/.test(code);
}
