import type { z } from 'zod';
import type { AnyEndpoint, ReplyOf } from '../api/contract/endpoint.ts';
import {
  createHttpClient,
  type HttpClient,
  HttpError,
  type HttpRequest,
  type HttpResponse,
} from '../platform/http-client.ts';
import { jsonOf } from '../platform/json-object.ts';
import { type ByteSource, readBounded, StreamError } from '../platform/streams.ts';
import type { Cli } from './cli.ts';
import { currentLogin, type Login } from './credentials.ts';
import { CliError } from './exit.ts';
import { failureOf, unreachable } from './server-errors.ts';

/** What a call is made with; an endpoint without one of them takes nothing. */
interface CallInput<E extends AnyEndpoint> {
  readonly params?: z.input<E['params']>;
  readonly query?: z.input<E['query']>;
  readonly body?: z.input<E['body']>;
}

/** The management API of a server. Every call throws `CliError` with a sentence that says what to do. */
export interface ApiClient {
  readonly login: Login;
  call<E extends AnyEndpoint>(endpoint: E, input?: CallInput<E>): Promise<ReplyOf<E>>;
  /** Sends a file as it is; `size` in bytes. */
  upload<E extends AnyEndpoint>(
    endpoint: E,
    file: { content: ByteSource; size: number },
    input?: Omit<CallInput<E>, 'body'>,
  ): Promise<ReplyOf<E>>;
  /** The reply as it comes, for what may be large. */
  download<E extends AnyEndpoint>(endpoint: E, input?: CallInput<E>): Promise<ByteSource>;
}

const LARGEST_REPLY = 256 * 1024 * 1024;
const LARGEST_ERROR = 64 * 1024;
const CONNECT_TIMEOUT_MS = 5000;
/** An audit of a large cluster and an import of advisories take their time before they answer. */
const REPLY_TIMEOUT_MS = 10 * 60_000;

/** Runs something against the server of the login and closes the connections afterwards. */
export async function withServer<Result>(cli: Cli, run: (api: ApiClient) => Promise<Result>): Promise<Result> {
  return withLogin(await currentLogin(await cli.config()), run);
}

/** The same with a login that is not the current one. */
export async function withLogin<Result>(login: Login, run: (api: ApiClient) => Promise<Result>): Promise<Result> {
  const http = createHttpClient({
    userAgent: 'breakwater',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    idleTimeoutMs: REPLY_TIMEOUT_MS,
  });
  try {
    return await run(createApiClient(http, login));
  } finally {
    await http.close();
  }
}

function createApiClient(http: HttpClient, login: Login): ApiClient {
  const authorization =
    login.password === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}` };

  async function send<E extends AnyEndpoint>(endpoint: E, input: CallInput<E>, rest: Partial<HttpRequest> = {}) {
    const json = input.body === undefined ? {} : { body: JSON.stringify(input.body) };
    const type = input.body === undefined ? {} : { 'content-type': 'application/json' };
    const reply = await http
      .send({
        url: `${login.url}/api/v1${pathOf(endpoint.path, input.params)}${queryOf(input.query)}`,
        method: endpoint.method,
        headers: { accept: 'application/json, application/problem+json, */*', ...type, ...rest.headers },
        ...authorization,
        ...json,
        ...(rest.body === undefined ? {} : { body: rest.body }),
      })
      .catch((error: unknown) => {
        throw error instanceof HttpError ? unreachable(error, login) : error;
      });
    if (reply.status === endpoint.status) return reply;
    throw failureOf(reply.status, await errorText(reply), login, endpoint.summary);
  }

  return {
    login,
    call: async (endpoint, input = {}) => readReply(endpoint, await send(endpoint, input)),
    async upload(endpoint, { content, size }, input = {}) {
      const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) };
      const body = content as NonNullable<HttpRequest['body']>;
      return readReply(endpoint, await send(endpoint, input, { headers, body }));
    },
    download: async (endpoint, input = {}) => whole((await send(endpoint, input)).body, endpoint.summary),
  };
}

async function readReply<E extends AnyEndpoint>(endpoint: E, reply: HttpResponse): Promise<ReplyOf<E>> {
  if (reply.status === 204) {
    await reply.discard();
    return undefined as ReplyOf<E>;
  }
  const text = await boundedText(reply, endpoint.summary);
  const parsed = endpoint.reply.safeParse(endpoint.gives === undefined ? jsonOf(text) : text);
  if (parsed.success) return parsed.data as ReplyOf<E>;
  const where = parsed.error.issues[0]?.path.join('.');
  throw new CliError(
    'server',
    `the server's answer is not what this program expects${where ? ` (${where})` : ''}; use the command line of the server's version`,
  );
}

async function boundedText(reply: HttpResponse, what: string): Promise<string> {
  try {
    return (await readBounded(reply.body, LARGEST_REPLY, `the answer (${what})`)).toString('utf8');
  } catch (error) {
    if (error instanceof StreamError) throw new CliError('server', error.message, { cause: error });
    throw new CliError('server', `the answer (${what}) broke off; try again`, { cause: error });
  }
}

/** The same bytes; a connection that breaks is an error with a sentence. */
async function* whole(source: ByteSource, what: string): ByteSource {
  try {
    yield* source;
  } catch (error) {
    throw new CliError('server', `the answer (${what}) broke off; try again`, { cause: error });
  }
}

/** Longer error bodies are no problem documents. */
function errorText(reply: HttpResponse): Promise<string> {
  return reply.readText(LARGEST_ERROR).catch(() => '');
}

type Values = Readonly<Record<string, string | number | boolean | undefined>>;

/** Fills `{parameters}` in. Repository names and the like are one parameter each, so their slashes are encoded. */
function pathOf(path: string, params: unknown): string {
  const values = (params ?? {}) as Values;
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
}

function queryOf(query: unknown): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries((query ?? {}) as Values))
    if (value !== undefined) parameters.append(name, String(value));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
