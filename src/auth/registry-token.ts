import {
  type CryptoKey,
  calculateJwkThumbprint,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import { z } from 'zod';
import type { Db } from '../db/database.ts';
import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { createBoundedMap } from './bounded-map.ts';
import { AuthError } from './errors.ts';
import type { Access } from './scope.ts';
import type { SecretBox } from './secret-box.ts';

/** What a bearer token says: whose it is (empty = anonymous) and what it gives. */
export interface TokenClaims {
  readonly subject: string;
  /** Ties it to the password or secret it was given for; empty = anonymous. */
  readonly mark: string;
  readonly access: readonly Access[];
  /** Epoch seconds. */
  readonly expires: number;
}

/** What a refresh token says. */
export interface RefreshClaims {
  readonly subject: string;
  /** Ties it to the password or secret it was given for. */
  readonly mark: string;
}

/** Issues and checks the tokens of this registry. */
export interface RegistryTokens {
  /** A bearer token; `ttlSeconds` from now. */
  issue(claims: Omit<TokenClaims, 'expires'>, ttlSeconds: number): Promise<string>;
  /** Throws `AuthError('token_invalid')`: forged, for another service, expired or not yet valid by more than 60 s. */
  verify(token: string): Promise<TokenClaims>;
  issueRefresh(claims: RefreshClaims, ttlSeconds: number): Promise<string>;
  verifyRefresh(token: string): Promise<RefreshClaims>;
}

const ALGORITHM = 'ES256';
const LEEWAY_SECONDS = 60;
const REMEMBERED = 4096;
const LONGEST_TOKEN = 16_384;
const KEY_SETTING = 'auth.signing-key';

const accessSchema = z.array(z.object({ type: z.string(), name: z.string(), actions: z.array(z.string()) }));
const claimsSchema = z.object({ sub: z.string(), exp: z.number(), pwd: z.string(), access: accessSchema });
const refreshSchema = z.object({ sub: z.string().min(1), pwd: z.string().min(1) });

/**
 * Opens the token issuer: JSON Web Tokens signed with ES256 by a key that is made on the first start and kept encrypted in
 * `settings`, so that every replica has the same. `service` is the audience. Tokens found good are remembered until they end.
 */
export async function openRegistryTokens(deps: {
  readonly db: Db;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly service: string;
  readonly issuer?: string;
}): Promise<RegistryTokens> {
  const { clock, service, issuer = 'breakwater' } = deps;
  const key = await loadKey(deps.db, deps.box);
  const refreshAudience = `${service}/refresh`;
  const remembered = createBoundedMap<TokenClaims>(REMEMBERED);
  const nowSeconds = () => Math.floor(clock.now() / 1000);

  function sign(subject: string, audience: string, ttlSeconds: number, claims: Record<string, unknown>) {
    const now = nowSeconds();
    return new SignJWT({ ...claims, sub: subject })
      .setProtectedHeader({ typ: 'JWT', alg: ALGORITHM, kid: key.id })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + ttlSeconds)
      .setJti(newId())
      .sign(key.privateKey);
  }

  async function payloadOf<Claims>(token: string, audience: string, schema: z.ZodType<Claims>): Promise<Claims> {
    if (token.length > LONGEST_TOKEN) throw invalid('it is too long');
    try {
      const { payload } = await jwtVerify(token, key.publicKey, {
        algorithms: [ALGORITHM],
        issuer,
        audience,
        clockTolerance: LEEWAY_SECONDS,
        currentDate: new Date(clock.now()),
        requiredClaims: ['exp', 'nbf', 'iat'],
      });
      return schema.parse(payload);
    } catch (cause) {
      if (cause instanceof errors.JWTExpired) throw invalid('it has expired', cause);
      throw invalid('it was not issued here, or not for this', cause);
    }
  }

  return {
    issue: ({ subject, mark, access }, ttlSeconds) => sign(subject, service, ttlSeconds, { pwd: mark, access }),
    async verify(token) {
      const known = remembered.get(token);
      if (known && nowSeconds() < known.expires + LEEWAY_SECONDS) return known;
      const { sub, exp, pwd, access } = await payloadOf(token, service, claimsSchema);
      const claims: TokenClaims = { subject: sub, mark: pwd, access, expires: exp };
      remembered.set(token, claims);
      return claims;
    },
    issueRefresh: ({ subject, mark }, ttlSeconds) => sign(subject, refreshAudience, ttlSeconds, { pwd: mark }),
    async verifyRefresh(token) {
      const { sub, pwd } = await payloadOf(token, refreshAudience, refreshSchema);
      return { subject: sub, mark: pwd };
    },
  };
}

interface SigningKey {
  readonly id: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

async function loadKey(db: Db, box: SecretBox): Promise<SigningKey> {
  const sealed = (await storedKey(db)) ?? (await makeKey(db, box));
  const jwk = JSON.parse(box.open(sealed, KEY_SETTING)) as JWK;
  const { d: _secret, ...open } = jwk;
  return {
    id: await calculateJwkThumbprint(jwk),
    privateKey: (await importJWK(jwk, ALGORITHM)) as CryptoKey,
    publicKey: (await importJWK(open, ALGORITHM)) as CryptoKey,
  };
}

async function storedKey(db: Db): Promise<string | undefined> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', KEY_SETTING).executeTakeFirst();
  return row?.value;
}

/** Of two replicas that start at once, the key of the first one stands. */
async function makeKey(db: Db, box: SecretBox): Promise<string> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const sealed = box.seal(JSON.stringify(await exportJWK(privateKey)), KEY_SETTING);
  await db
    .insertInto('settings')
    .values({ key: KEY_SETTING, value: sealed })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  return (await storedKey(db)) ?? sealed;
}

function invalid(why: string, cause?: unknown): AuthError {
  return new AuthError('token_invalid', `this token is not valid: ${why}; ask for a new one`, { cause });
}
