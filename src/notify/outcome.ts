import type { GuardedReply } from '../platform/guarded-request.ts';

/** What became of one try. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** Some of it is done; the rest follows without a pause. */
  | { readonly kind: 'progress' }
  /** `final`: another try would do harm; it is given up at once. */
  | { readonly kind: 'failed'; readonly error: string; readonly retryAfterMs?: number; readonly final?: true };

const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** What a status means. The text of replies is shown to nobody: it would let a receiver's owner read other servers. */
export function outcomeOf({ status, retryAfter }: Pick<GuardedReply, 'status' | 'retryAfter'>): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status >= 300 && status < 400)
    return {
      kind: 'failed',
      error: `it answers ${status}, a redirect, which is never followed; give the address it leads to`,
    };
  const seconds = retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined;
  return {
    kind: 'failed',
    error: `it answers ${status}`,
    ...(seconds === undefined ? {} : { retryAfterMs: Math.min(seconds * 1000, LONGEST_RETRY_AFTER_MS) }),
  };
}
