import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { exportPKCS8, generateKeyPair, errors as joseErrors, jwtVerify, SignJWT } from 'jose';
import type { Db } from '../db/database.ts';
import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import type { Scope } from './scope.ts';
import type { SecretBox } from './secret-box.ts';

/** What a token says: who, and what it may do. */
export interface TokenClaims {
  /** Name; empty for anonymous. */
  readonly subject: string;
  readonly access: readonly Scope[];
  /** Set when the holder may pull what the gate refuses. */
  readonly bypass: boolean;
}

export interface RegistryTokens {
  issue(
    claims: TokenClaims,
    kind: 'access' | 'refresh',
  ): Promise<{ readonly token: string; readonly expiresIn: number; readonly issuedAt: number }>;
  /** Undefined for tokens that are wrong, of the other kind, or over. */
  verify(token: string, kind: 'access' | 'refresh'): Promise<TokenClaims | undefined>;
}

export const SERVICE = 'breakwater';
const ALGORITHM = 'ES256';
const KEY_SETTING = 'auth.token-key';
/** Seconds. */
const LIFE = { access: 300, refresh: 30 * 24 * 3600 } as const;
/** Clocks of replicas may differ by this much. */
const LEEWAY_SECONDS = 60;
const LONGEST_TOKEN = 16_384;
const MOST_REMEMBERED = 10_000;

/** Signs and checks tokens with a key that all replicas share through the database, encrypted there. */
export async function openRegistryTokens(deps: {
  readonly db: Db;
  readonly clock: Clock;
  readonly secrets: SecretBox;
}): Promise<RegistryTokens> {
  const { privateKey, publicKey } = await loadKey(deps.db, deps.secrets);
  const seconds = () => Math.floor(deps.clock.now() / 1000);
  // Verified once per token: a signature check costs more than the rest of a manifest request.
  const remembered = new Map<string, { claims: TokenClaims; until: number }>();

  return {
    async issue(claims, kind) {
      const issuedAt = seconds();
      const token = await new SignJWT({ access: claims.access, ...(claims.bypass ? { bypass: true } : {}), use: kind })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer(SERVICE)
        .setAudience(SERVICE)
        .setSubject(claims.subject)
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(issuedAt + LIFE[kind])
        .setJti(newId())
        .sign(privateKey);
      return { token, expiresIn: LIFE[kind], issuedAt: issuedAt * 1000 };
    },

    async verify(token, kind) {
      if (token.length > LONGEST_TOKEN) return undefined;
      const key = `${kind} ${token}`;
      const known = remembered.get(key);
      if (known) {
        if (known.until > seconds()) return known.claims;
        remembered.delete(key);
        return undefined;
      }
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          algorithms: [ALGORITHM],
          issuer: SERVICE,
          audience: SERVICE,
          clockTolerance: LEEWAY_SECONDS,
          currentDate: new Date(deps.clock.now()),
        });
        if (payload['use'] !== kind) return undefined;
        const claims = {
          subject: payload.sub ?? '',
          access: (payload['access'] ?? []) as Scope[],
          bypass: payload['bypass'] === true,
        };
        if (remembered.size >= MOST_REMEMBERED) remembered.clear();
        remembered.set(key, { claims, until: (payload.exp ?? 0) + LEEWAY_SECONDS });
        return claims;
      } catch (error) {
        if (error instanceof joseErrors.JOSEError) return undefined;
        throw error;
      }
    },
  };
}

async function loadKey(db: Db, secrets: SecretBox): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  const stored = () => db.selectFrom('settings').select('value').where('key', '=', KEY_SETTING).executeTakeFirst();
  if (!(await stored())) {
    const pair = await generateKeyPair(ALGORITHM, { extractable: true });
    const value = secrets.seal(await exportPKCS8(pair.privateKey));
    // Of two replicas that start at once, the first one's key is everybody's.
    await db
      .insertInto('settings')
      .values({ key: KEY_SETTING, value })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .execute();
  }
  const row = await stored();
  if (!row) throw new Error('the token key could not be stored');
  const privateKey = createPrivateKey(secrets.open(row.value));
  return { privateKey, publicKey: createPublicKey(privateKey) };
}
