import { CodedError } from '../platform/errors.ts';
import { within } from '../platform/within.ts';

/** No decision: the call fails with this HTTP status, and the failure policy of the webhook configuration decides. */
export class Undecided extends CodedError<'undecided'> {
  readonly status: 503 | 504;

  constructor(status: 503 | 504, message: string) {
    super('undecided', message);
    this.status = status;
  }
}

/** What `work` gives, or `Undecided` when it takes longer than that many milliseconds. */
export async function decidedWithin<Value extends object>(work: Promise<Value>, milliseconds: number): Promise<Value> {
  const decided = await within(work, milliseconds);
  if (decided === undefined) throw new Undecided(504, `no decision within ${milliseconds} ms`);
  return decided;
}
