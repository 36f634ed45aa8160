import { TRIED_FOR_MS } from './backoff.ts';

/** What a row of a message says before anybody has tried to tell it. `held`: kept for a digest. `now`: epoch ms. */
export function freshMessage(receiverId: string, now: number, state: 'waiting' | 'held' = 'waiting') {
  return {
    receiver_id: receiverId,
    state,
    attempts: 0,
    next_at: now,
    gives_up_at: now + TRIED_FOR_MS,
    settled_at: null,
    last_error: null,
  };
}
