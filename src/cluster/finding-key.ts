import { createHash } from 'node:crypto';

/** A short text that is equal exactly when all the parts are. */
export function keyOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}
