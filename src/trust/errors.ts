import { CodedError } from '../platform/errors.ts';

export class TrustError extends CodedError<
  | 'source_invalid'
  | 'source_exists'
  | 'source_unknown'
  | 'source_state'
  /** What runs or is stored would lose trust, and nobody said that it may. */
  | 'source_in_use'
  | 'four_eyes'
> {}
