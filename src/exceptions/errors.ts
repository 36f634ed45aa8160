import { CodedError } from '../platform/errors.ts';

export class ExceptionError extends CodedError<
  | 'exception_invalid'
  | 'exception_unknown'
  /** It was decided already, or has ended. */
  | 'exception_state'
  /** Who asked for it may not grant it. */
  | 'four_eyes'
> {}
