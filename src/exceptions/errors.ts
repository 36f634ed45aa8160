import { CodedError } from '../platform/errors.ts';

export class ExceptionError extends CodedError<
  | 'exception_invalid'
  | 'exception_unknown'
  /** It was decided already, or has ended. */
  | 'exception_state'
  /** What is asked for was changed, and who decides did not say that they know. */
  | 'exception_edited'
  /** Who asked for it, or changed what was asked for, may not grant it. */
  | 'four_eyes'
> {}
