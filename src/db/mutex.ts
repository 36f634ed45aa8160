/** Lets one at a time have something, in the order of asking. */
export function createMutex() {
  const waiting: (() => void)[] = [];
  let taken = false;
  return {
    /** Resolves when it is the caller's turn, which ends with `release`. */
    obtain(): Promise<void> {
      if (taken) return new Promise((resolve) => waiting.push(resolve));
      taken = true;
      return Promise.resolve();
    },
    taken: () => taken,
    release(): void {
      const next = waiting.shift();
      if (next) next();
      else taken = false;
    },
  };
}
