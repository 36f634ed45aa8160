import { setTimeout } from 'node:timers';
import { CodedError } from '../platform/errors.ts';

/** No decision: the call fails with this HTTP status, and the failure policy of the webhook configuration decides. */
export class Undecided extends CodedError<'undecided'> {
  readonly status: 503 | 504;

  constructor(status: 503 | 504, message: string) {
    super('undecided', message);
    this.status = status;
  }
}

/** What `work` gives, or `Undecided` when it takes longer than that many milliseconds. */
export async function within<Value>(milliseconds: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const why = `no decision within ${milliseconds} ms`;
    timer = setTimeout(() => reject(new Undecided(504, why)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
