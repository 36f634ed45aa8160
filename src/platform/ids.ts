import { randomBytes, randomUUID } from 'node:crypto';

/** A new random identifier (UUID v4 in lower case). */
export function newId(): string {
  return randomUUID();
}

/** A secret for people and robots: `bytes` of randomness in URL-safe base64, no padding. */
export function newSecret(bytes = 24): string {
  return randomBytes(bytes).toString('base64url');
}
