import type { Row } from '../db/schema.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { ExceptionError } from './errors.ts';
import { askedIn } from './narrow-request.ts';

/**
 * Refuses a decision about something else than what was read: what was changed is decided only by its revision. Throws
 * `ExceptionError('exception_edited')` that says what is asked for now.
 */
export function checkRead(current: Row<'exceptions'>, revision: number | undefined): void {
  if (revision === current.revision || (revision === undefined && current.revision === 1)) return;
  const { until, ...asked } = askedIn(current);
  const words = Object.entries({ ...asked, until: toRfc3339(until) }).map(([name, value]) => `${name} ${value}`);
  throw new ExceptionError(
    'exception_edited',
    `exception ${current.id} is not as it was first asked for, and what was read was ${
      revision === undefined ? 'not said' : `revision ${revision}`
    }; it is revision ${current.revision} now: ${words.join(', ')}. Decide about this with revision ${current.revision}`,
  );
}
