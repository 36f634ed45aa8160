const FIRST_MS = 5000;
const LONGEST_MS = 4 * 3_600_000;

/** Given up after so long. */
export const TRIED_FOR_MS = 3 * 86_400_000;

/**
 * Milliseconds until the next try after `attempts` failed ones: doubles from five seconds to four hours, between half and all of it
 * by chance. `random` in [0, 1).
 */
export function deliveryDelay(attempts: number, random: () => number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 30));
  return Math.round(full / 2 + (random() * full) / 2);
}
