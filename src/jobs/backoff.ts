const FIRST_MS = 1000;
const LONGEST_MS = 600_000;

/**
 * Milliseconds until the next try after `attempts` failed ones: doubles from a second to ten minutes, between half and all of
 * it by chance, so that what failed together does not come back together. `random` in [0, 1).
 */
export function retryDelay(attempts: number, random: () => number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 30));
  return Math.round(full / 2 + (random() * full) / 2);
}
