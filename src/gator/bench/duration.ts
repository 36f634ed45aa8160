/** Nanoseconds as Go's `time.Duration` prints them: `110.5µs`, `1m0.5s`. */
export function goDuration(nanoseconds: number): string {
  const whole = Math.round(nanoseconds);
  if (whole === 0) return '0s';
  if (whole < 1e3) return `${whole}ns`;
  if (whole < 1e6) return `${whole / 1e3}µs`;
  if (whole < 1e9) return `${whole / 1e6}ms`;
  const hours = Math.floor(whole / 3.6e12);
  const minutes = Math.floor((whole % 3.6e12) / 6e10);
  const seconds = `${Math.round(whole % 6e10) / 1e9}s`;
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}`;
}

/** As gator's tables print them: two decimals of the unit that fits. */
export function shortDuration(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${Math.round(nanoseconds)}ns`;
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toFixed(2)}µs`;
  if (nanoseconds < 1e9) return `${(nanoseconds / 1e6).toFixed(2)}ms`;
  return `${(nanoseconds / 1e9).toFixed(3)}s`;
}

/** `1.50 KB`. */
export function shortBytes(bytes: number): string {
  const [unit, size] = (
    [
      ['GB', 2 ** 30],
      ['MB', 2 ** 20],
      ['KB', 2 ** 10],
    ] as const
  ).find(([, one]) => bytes >= one) ?? ['B', 1];
  return size === 1 ? `${Math.round(bytes)} B` : `${(bytes / size).toFixed(2)} ${unit}`;
}

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 };

/** Reads a duration as Go writes one, into nanoseconds; undefined when it is none. */
export function parseGoDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return undefined;
  return parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (UNITS[unit] ?? 0), 0);
}
