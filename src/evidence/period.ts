import { toRfc3339 } from '../platform/clock.ts';
import { EvidenceError } from './errors.ts';

/** Epoch ms: from inclusive, to exclusive. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** Largest time that can be written as RFC 3339 with four digits of year. */
const LATEST = 253_402_300_799_000;

/** A period that can be reported: it ends now at the latest. Throws `EvidenceError('period_invalid')`. */
export function checkPeriod({ from, to }: Period, now: number): Period {
  for (const time of [from, to])
    if (!Number.isSafeInteger(time) || time < 0 || time > LATEST)
      throw new EvidenceError('period_invalid', `${time} is no time; give whole milliseconds since 1970`);
  if (from >= to)
    throw new EvidenceError(
      'period_invalid',
      `the period ends (${toRfc3339(to)}) before it begins (${toRfc3339(from)})`,
    );
  if (from > now)
    throw new EvidenceError('period_invalid', `the period begins at ${toRfc3339(from)}, which is still to come`);
  return { from, to };
}

/** RFC 3339 with milliseconds, where a time must be told from the next. */
export function toExactTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
