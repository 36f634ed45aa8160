import { createHmac, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { Clock } from '../platform/clock.ts';
import { createBoundedMap } from './bounded-map.ts';
import { AuthError } from './errors.ts';

const SHORTEST = 8;
const LONGEST_BYTES = 1024;
const REMEMBERED = 2048;
const REMEMBERED_MS = 300_000;
/** Argon2id, OWASP's minimum of 2023: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hashes a new password with Argon2id. Throws `AuthError('password_invalid')` when it is too short or too long. */
export async function hashPassword(password: string): Promise<string> {
  if (password.length < SHORTEST)
    throw new AuthError('password_invalid', `the password is too short; choose at least ${SHORTEST} characters`);
  if (Buffer.byteLength(password) > LONGEST_BYTES)
    throw new AuthError('password_invalid', `the password is longer than ${LONGEST_BYTES} bytes`);
  return hash(password, COST);
}

export interface PasswordVerifier {
  /** True when this very pair was found right a moment ago; costs microseconds. */
  isRemembered(passwordHash: string, password: string): boolean;
  /**
   * Compares with full cost, also when there is no such user (`undefined`), so that the time does not tell. The same
   * question asked while it is being answered is answered once.
   */
  verify(passwordHash: string | undefined, password: string): Promise<boolean>;
}

/**
 * Verifies passwords and remembers for five minutes which were right: by a keyed hash of password and stored hash, with a key
 * of this process, so that a changed password is never taken for the old one and memory holds no passwords.
 */
export function createPasswordVerifier(deps: { readonly clock: Clock }): PasswordVerifier {
  const key = randomBytes(32);
  const remembered = createBoundedMap<number>(REMEMBERED);
  const underWay = new Map<string, Promise<boolean>>();
  const nobodysHash = hash(randomBytes(32), COST);
  // Awaited on first use; a failure before that must not end the process.
  nobodysHash.catch(() => undefined);

  const keyOf = (passwordHash: string, password: string) =>
    createHmac('sha256', key).update(passwordHash).update('\0').update(password).digest('base64');

  return {
    isRemembered(passwordHash, password) {
      return (remembered.get(keyOf(passwordHash, password)) ?? 0) > deps.clock.now();
    },
    async verify(passwordHash, password) {
      if (Buffer.byteLength(password) > LONGEST_BYTES) return false;
      if (passwordHash === undefined) {
        await verify(await nobodysHash, password);
        return false;
      }
      const pair = keyOf(passwordHash, password);
      const running = underWay.get(pair);
      if (running) return running;
      const answer = verify(passwordHash, password).finally(() => underWay.delete(pair));
      underWay.set(pair, answer);
      const right = await answer;
      if (right) remembered.set(pair, deps.clock.now() + REMEMBERED_MS);
      return right;
    },
  };
}
