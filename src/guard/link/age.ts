const UNITS = [
  ['day', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** A time span as people say it, in its largest unit: `3 h`, `2 days`. */
export function ageText(ms: number): string {
  for (const [unit, size] of UNITS) {
    if (ms < size && unit !== 's') continue;
    const count = Math.max(0, Math.floor(ms / size));
    return `${count} ${unit === 'day' && count !== 1 ? 'days' : unit}`;
  }
  return '0 s';
}
