import { isIP } from 'node:net';
import { z } from 'zod';
import { createBoundedMap } from '../auth/bounded-map.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { type HttpClient, redactUrl } from '../platform/http-client.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import { UpstreamError } from './errors.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Gives the Authorization header for a scope at one registry, and learns from its challenges. */
export interface Authorizer {
  /** What to send for a scope now; undefined = nothing. */
  current(scope: string): string | undefined;
  /** The same for what can be sent only once: asks for a token first when none is kept and the registry is known to want one. */
  prepare(scope: string): Promise<string | undefined>;
  /** Answers a 401 to `refused`: the header to try again with, or undefined when there is nothing better to offer. */
  answer(challengeHeader: string | undefined, scope: string, refused: string | undefined): Promise<string | undefined>;
}

/** One for each scope: an import of many repositories asks for many. */
const TOKENS_KEPT = 10_000;
const LONGEST_TOKEN_REPLY = 65_536;
const SHORTEST_LIFE_SECONDS = 60;
/** A token is renewed this long before it ends, so that it does not end on its way. */
const RENEW_BEFORE_SECONDS = 10;

const tokenReply = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});

interface Deps {
  readonly http: HttpClient;
  readonly clock: Clock;
}

/** The Docker token flow and Basic authentication against one registry; tokens are kept per scope until they end. */
export function createAuthorizer(deps: Deps, registry: URL, credentials: Credentials | undefined): Authorizer {
  const tokens = createBoundedMap<{ header: string; until: number }>(TOKENS_KEPT);
  const underWay = new Map<string, Promise<string>>();
  const basic =
    credentials && `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  let basicAccepted = false;
  /** Where this registry has its tokens made; the same for every scope. */
  let tokenService: Challenge | undefined;

  async function fetchToken(challenge: Challenge, scope: string): Promise<string> {
    const realm = allowedRealm(challenge.parameters['realm'], registry);
    const { service } = challenge.parameters;
    if (service) realm.searchParams.set('service', service);
    // A mount asks for two.
    for (const part of scope.split(' ')) realm.searchParams.append('scope', part);
    const reply = await deps.http.send({ url: realm.href, ...(basic ? { authorization: basic } : {}) });
    if (reply.status !== 200) {
      await reply.discard();
      const problem = `the token service ${redactUrl(realm)} answered ${reply.status}`;
      if (reply.status === 401 || reply.status === 403)
        throw new UpstreamError('denied', `${problem}; check the user name and password for ${registry.host}`);
      throw new UpstreamError('unavailable', problem);
    }
    const parsed = tokenReply.safeParse(parseJson(await reply.readText(LONGEST_TOKEN_REPLY)));
    const token = parsed.data?.token ?? parsed.data?.access_token;
    if (!token) throw new UpstreamError('invalid_response', `the token service ${redactUrl(realm)} gave no token`);
    const life =
      Math.max(SHORTEST_LIFE_SECONDS, parsed.data?.expires_in ?? SHORTEST_LIFE_SECONDS) - RENEW_BEFORE_SECONDS;
    const header = `Bearer ${token}`;
    tokens.set(scope, { header, until: deps.clock.now() + life * 1000 });
    return header;
  }

  function current(scope: string): string | undefined {
    const kept = tokens.get(scope);
    if (kept && kept.until > deps.clock.now()) return kept.header;
    return basicAccepted ? basic : undefined;
  }

  /** One request for a token at a time and scope, whoever needs it. */
  function renew(challenge: Challenge, scope: string): Promise<string> {
    let running = underWay.get(scope);
    if (!running) {
      running = fetchToken(challenge, scope).finally(() => underWay.delete(scope));
      underWay.set(scope, running);
    }
    return running;
  }

  return {
    current,
    async prepare(scope) {
      return underWay.get(scope) ?? current(scope) ?? (tokenService && renew(tokenService, scope));
    },
    async answer(challengeHeader, scope, refused) {
      const challenge = parseChallenge(challengeHeader);
      if (challenge?.scheme === 'basic') {
        basicAccepted = basic !== undefined;
        return basic;
      }
      if (challenge?.scheme !== 'bearer') return undefined;
      tokenService = challenge;
      const kept = tokens.get(scope);
      // Refused was what came before it: somebody else has been challenged meanwhile and has a token already.
      if (kept && kept.header !== refused && kept.until > deps.clock.now()) return kept.header;
      tokens.delete(scope);
      return renew(challenge, scope);
    },
  };
}

/**
 * The realm comes from the other registry's reply, so it may not point us anywhere: https, or the registry's own host;
 * a literal private or loopback address only when it is the registry itself.
 */
function allowedRealm(realm: string | undefined, registry: URL): URL {
  let url: URL;
  try {
    url = new URL(realm ?? '');
  } catch (error) {
    throw new UpstreamError('invalid_response', `${registry.host} names no usable token service`, { cause: error });
  }
  const own = url.host === registry.host;
  const literal = isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0;
  if (!own && (url.protocol !== 'https:' || literal || url.hostname === 'localhost'))
    throw new UpstreamError(
      'invalid_response',
      `${registry.host} names ${redactUrl(url)} as its token service, which is refused`,
    );
  return url;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UpstreamError(
      'invalid_response',
      `a token service answered with something that is no JSON: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}
