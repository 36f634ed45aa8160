import { createHmac, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { Clock } from '../platform/clock.ts';
import { AuthError } from './errors.ts';

const SHORTEST = 8;
const LONGEST = 256;
/** Argon2id as OWASP recommends it: 19 MiB, 2 passes. */
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 10_000;

/** Checks a new password and gives its argon2id hash. Throws `AuthError('invalid')`. */
export async function hashPassword(password: string): Promise<string> {
  if (password.length < SHORTEST || password.length > LONGEST)
    throw new AuthError('invalid', `a password must have ${SHORTEST} to ${LONGEST} characters`);
  return hash(password, OPTIONS);
}

/** Verifies passwords; a right one is remembered for a minute, so that clients that send it on every request stay fast. */
export interface PasswordVerifier {
  /** `stored` undefined stands for an unknown user and costs the same time. */
  matches(stored: string | undefined, password: string): Promise<boolean>;
}

export function createPasswordVerifier(clock: Clock): PasswordVerifier {
  // What is remembered is keyed by the stored hash too: a changed password is forgotten by itself.
  const pepper = randomBytes(32);
  const remembered = new Map<string, number>();
  const nobody = hash(randomBytes(16).toString('hex'), OPTIONS);

  return {
    async matches(stored, password) {
      if (password.length > LONGEST) return false;
      const key = createHmac('sha256', pepper)
        .update(`${stored ?? ''}\0${password}`)
        .digest('base64');
      if ((remembered.get(key) ?? 0) > clock.now()) return true;
      const right = await verify(stored ?? (await nobody), password);
      if (!right || stored === undefined) return false;
      if (remembered.size >= MOST_REMEMBERED) remembered.clear();
      remembered.set(key, clock.now() + REMEMBERED_MS);
      return true;
    },
  };
}
