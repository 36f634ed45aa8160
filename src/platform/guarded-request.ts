import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { Agent, request } from 'undici';
import { dialAddress } from './dial-address.ts';
import { CodedError, messageOf } from './errors.ts';

class GuardedRequestError extends CodedError<'address_refused' | 'unreachable' | 'timeout'> {}

export interface GuardedRequest {
  readonly url: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface GuardedReply {
  readonly status: number;
  /** What was read of the body: the beginning, and nothing where it is a redirect. */
  readonly text: string;
  /** The body went on. */
  readonly cut: boolean;
  readonly retryAfter?: string;
}

/** Sends requests to addresses that people configured, who may not be those who run the server. */
export interface GuardedClient {
  /** Throws `GuardedRequestError`. A redirect is a reply like any other: nothing is followed. */
  send(request: GuardedRequest): Promise<GuardedReply>;
  close(): Promise<void>;
}

export interface GuardedClientOptions {
  readonly userAgent: string;
  /** Addresses of private networks and of this machine may be connected to. */
  readonly allowPrivate: boolean;
  /** For all of it, from the first look-up to the last byte; 10 s unless told. */
  readonly totalMs?: number;
  /** Of a reply; 64 KB unless told. */
  readonly mostBytes?: number;
  /** All addresses of a host; the system's unless told. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

const TOTAL_MS = 10_000;
const MOST_BYTES = 65_536;

/**
 * A client that connects only to addresses it has checked: a name is resolved once, each of its addresses has to be allowed, and the
 * connection goes to one of those, so that a name which answers differently the next time changes nothing.
 */
export function createGuardedClient(options: GuardedClientOptions): GuardedClient {
  const { allowPrivate, totalMs = TOTAL_MS, mostBytes = MOST_BYTES, resolve = resolveAll } = options;
  const agent = new Agent({
    connect: { timeout: totalMs, lookup: checkedLookup(resolve, allowPrivate), autoSelectFamily: false },
    headersTimeout: totalMs,
    bodyTimeout: totalMs,
    connections: 16,
    maxHeaderSize: 16_384,
  });

  return {
    async send({ url, method, headers, body }) {
      const target = new URL(url);
      // A socket does not look up what is an address already.
      const refusal = addressRefusal(target.hostname, allowPrivate);
      if (refusal !== undefined) throw new GuardedRequestError('address_refused', refusal);
      try {
        const reply = await request(target, {
          dispatcher: agent,
          method,
          headers: { 'user-agent': options.userAgent, ...headers },
          body,
          signal: AbortSignal.timeout(totalMs),
        });
        const retryAfter = reply.headers['retry-after'];
        return {
          status: reply.statusCode,
          ...(await beginningOf(reply.body, mostBytes)),
          ...(typeof retryAfter === 'string' ? { retryAfter } : {}),
        };
      } catch (error) {
        throw asGuardedError(error, target);
      }
    },
    close: () => agent.destroy(),
  };
}

async function beginningOf(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown },
  mostBytes: number,
): Promise<{ readonly text: string; readonly cut: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > mostBytes) break;
  }
  const cut = size > mostBytes;
  if (cut) body.destroy();
  return { text: Buffer.concat(chunks).subarray(0, mostBytes).toString('utf8'), cut };
}

function checkedLookup(resolve: (host: string) => Promise<readonly string[]>, allowPrivate: boolean): LookupFunction {
  async function checked(host: string): Promise<readonly string[]> {
    const addresses = await resolve(host);
    if (addresses.length === 0) throw new GuardedRequestError('unreachable', `${host} has no address`);
    for (const address of addresses) refuseForbidden(address, host, allowPrivate);
    return addresses;
  }
  const lookUp = callbackify(checked);
  return (host, { all }, callback) =>
    lookUp(host, (error, addresses) => {
      const [first = ''] = addresses ?? [];
      if (error) callback(error, '', 0);
      else if (all)
        callback(
          null,
          addresses.map((address) => ({ address, family: isIP(address) })),
        );
      else callback(null, first, isIP(first));
    });
}

/** Why nothing is sent to a host of a URL that is an address itself; undefined for a name, and for an address that may be. */
export function addressRefusal(host: string, allowPrivate: boolean): string | undefined {
  const literal = host.replace(/^\[|\]$/g, '');
  return isIP(literal) === 0 ? undefined : refusalOf(literal, host, allowPrivate);
}

function refuseForbidden(address: string, host: string, allowPrivate: boolean): void {
  const refusal = refusalOf(address, host, allowPrivate);
  if (refusal !== undefined) throw new GuardedRequestError('address_refused', refusal);
}

function refusalOf(address: string, host: string, allowPrivate: boolean): string | undefined {
  const kind = dialAddress(address);
  if (kind === 'public' || (kind === 'private' && allowPrivate)) return undefined;
  // The address itself is not said: names of a private network are not for everybody who may add a receiver.
  const why =
    kind === 'private'
      ? 'is in a private network; an administrator allows that with --allow-private'
      : 'has an address that nothing is ever sent to';
  return `${host} ${why}`;
}

async function resolveAll(host: string): Promise<readonly string[]> {
  return (await systemLookup(host, { all: true })).map(({ address }) => address);
}

function asGuardedError(error: unknown, { host }: URL): GuardedRequestError {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof GuardedRequestError) return cause;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/TIMEOUT|ETIMEDOUT/.test(code) || (error instanceof Error && error.name === 'TimeoutError'))
    return new GuardedRequestError('timeout', `${host} did not answer in time`, { cause: error });
  return new GuardedRequestError('unreachable', `${host} cannot be reached: ${code || messageOf(error)}`, {
    cause: error,
  });
}
