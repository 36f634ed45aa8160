import { CodedError } from '../../platform/errors.ts';

/** An advisory database file or a statement about feeds cannot be used; the message says why and what to do. */
export class AdvisoryDatabaseError extends CodedError<
  'not_found' | 'not_a_database' | 'wrong_schema' | 'damaged' | 'bad_manifest' | 'build_died'
> {}
