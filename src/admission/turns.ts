/** Long pieces of work, one after the other. */
export interface Turns {
  /** Does it once it is its turn; between two of them whatever else is waiting has its own. */
  take(work: () => void): void;
}

/** Without it a handful of large reviews that come together would keep all ordinary ones waiting until nobody waits for them any more. */
export function createTurns(): Turns {
  const waiting: (() => void)[] = [];
  let isPlanned = false;

  function next(): void {
    const work = waiting.shift();
    isPlanned = waiting.length > 0;
    if (isPlanned) setImmediate(next);
    work?.();
  }

  return {
    take(work) {
      waiting.push(work);
      if (!isPlanned) setImmediate(next);
      isPlanned = true;
    },
  };
}
