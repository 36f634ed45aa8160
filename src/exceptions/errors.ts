import { CodedError } from '../platform/errors.ts';

export class ExceptionError extends CodedError<
  | 'exception_invalid'
  | 'exception_unknown'
  /** It was decided already, or has ended. */
  | 'exception_state'
  /** Who asked for it, or changed what was asked for, may not grant it. */
  | 'four_eyes'
> {}
