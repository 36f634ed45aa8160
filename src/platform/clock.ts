/** The only reader of the time. Everything that depends on "now" takes a `Clock`, so tests decide what time it is. */
export interface Clock {
  /** Milliseconds since the Unix epoch, UTC. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A clock that stands still until told otherwise. For tests and for `simulate --at`. */
export function fixedClock(start: number): Clock & { set(to: number): void; advance(by: number): void } {
  let current = start;
  return {
    now: () => current,
    set: (to) => {
      current = to;
    },
    advance: (by) => {
      current += by;
    },
  };
}

/** RFC 3339 in UTC with seconds, the form all our outputs use. */
export function toRfc3339(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
