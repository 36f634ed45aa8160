import { CodedError } from '../platform/errors.ts';

export class EvidenceError extends CodedError<
  /** The period ends before it begins, or begins in the future. */
  | 'period_invalid'
  /** There is more to report than one document may hold. */
  | 'evidence_too_large'
> {}
