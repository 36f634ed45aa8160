import { within } from '../platform/within.ts';

/** A new namespace is told by the watch soon after it was made; this is for the moment in between. */
const WAIT_MS = 500;
/** Namespaces asked for at once, and reviews that wait for one: a cluster makes a few at a time, a caller with ill will any number. */
const MOST_ASKED = 20;
const MOST_WAITING = 200;

/**
 * Looks namespaces up, one request for each name at a time. Gives up after half a second, and at once where too many wait already: whoever asks
 * then finds nothing, and leaves its decision to the failure policy. `read` does not reject.
 */
export function createNamespaceLookup(read: (name: string) => Promise<void>): (name: string) => Promise<void> {
  const asked = new Map<string, Promise<void>>();
  let waiting = 0;

  function reading(name: string): Promise<void> | undefined {
    const known = asked.get(name);
    if (known || asked.size >= MOST_ASKED) return known;
    const begun = read(name).finally(() => asked.delete(name));
    asked.set(name, begun);
    return begun;
  }

  return async (name) => {
    const answer = waiting < MOST_WAITING ? reading(name) : undefined;
    if (!answer) return;
    waiting += 1;
    try {
      await within(answer, WAIT_MS);
    } finally {
      waiting -= 1;
    }
  };
}
