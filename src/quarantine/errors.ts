import { CodedError } from '../platform/errors.ts';

export class QuarantineError extends CodedError<
  | 'quarantine_invalid'
  | 'quarantine_unknown'
  /** The same is under quarantine already. */
  | 'quarantine_exists'
  /** It is over, or nobody asked for its release. */
  | 'quarantine_state'
  /** Who asked for the release may not confirm it. */
  | 'four_eyes'
> {}
