import { InvalidArgumentError } from 'commander';
import { systemClock } from '../platform/clock.ts';

const DAY_FORM = /^\d{4}-\d{2}-\d{2}$/;
const AHEAD_FORM = /^\+(\d{1,5})([hdw])$/;
const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
const MOMENT_FORM = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;

/** Reads a day as its last second (UTC), or an RFC 3339 moment as it is; gives RFC 3339. For dates until which something counts. */
export function endOf(text: string): string {
  return moment(text, 'T23:59:59Z');
}

/** The same, or a span from now: `+12h`, `+30d`, `+2w`. */
export function untilOf(text: string, now = systemClock.now()): string {
  const [, count, unit = ''] = AHEAD_FORM.exec(text) ?? [];
  const second = now - (now % 1000);
  if (count !== undefined) return new Date(second + Number(count) * (UNITS[unit] ?? Number.NaN)).toISOString();
  if (text.startsWith('+')) throw new InvalidArgumentError('Write a span like +30d, +12h or +2w.');
  return endOf(text);
}

/** Reads a day as the first moment of the next one: for ends that do not belong to a period. */
export function after(text: string): string {
  const end = endOf(text);
  return DAY_FORM.test(text) ? new Date(Date.parse(end) + 1000).toISOString() : end;
}

/** The same with the first second of a day. */
export function startOf(text: string): string {
  return moment(text, 'T00:00:00Z');
}

/** Reads a time ahead, like `+90d`, `+12h` or `+8w`, or what `endOf` reads. */
export function laterMoment(text: string): string {
  const [, count, unit = ''] = AHEAD_FORM.exec(text) ?? [];
  if (count === undefined) return endOf(text);
  return new Date(systemClock.now() + Number(count) * (UNITS[unit] ?? 0)).toISOString();
}

function moment(text: string, timeOfDay: string): string {
  const written = DAY_FORM.test(text) ? `${text}${timeOfDay}` : MOMENT_FORM.test(text) ? text : '';
  const parsed = new Date(written);
  // Date lets the 30th of February pass as the 2nd of March.
  if (Number.isNaN(parsed.getTime()) || !isCalendarDay(text.slice(0, 10)))
    throw new InvalidArgumentError('Write a day like 2027-01-31, or a moment like 2027-01-31T12:00:00Z.');
  return parsed.toISOString();
}

function isCalendarDay(day: string): boolean {
  const parsed = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().slice(0, 10) === day;
}

/** A moment of the server for people: the day. */
export function day(moment: string | undefined): string {
  return moment?.slice(0, 10) ?? '';
}

/** The same to the minute, UTC. */
export function minute(moment: string | undefined): string {
  return moment === undefined ? '' : `${moment.slice(0, 16).replace('T', ' ')}Z`;
}
