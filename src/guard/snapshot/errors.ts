import { CodedError } from '../../platform/errors.ts';

export class SnapshotError extends CodedError<
  /** What is in the cluster is not what a guard wrote. */
  | 'damaged'
  /** A part is gone: another replica has written a newer one meanwhile. */
  | 'replaced'
  | 'too_large'
> {}
