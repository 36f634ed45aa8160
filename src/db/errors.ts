import { CodedError } from '../platform/errors.ts';

/**
 * `database_unavailable`: it cannot work now, whatever it is asked; the message says why in plain words, and the same request may succeed
 * later. Whether something was stored that was asked for with a COMMIT is then not known. `migration_failed`: its schema cannot be brought up to date.
 */
export class DatabaseError extends CodedError<'database_unavailable' | 'migration_failed'> {}

/** True for the failure of a database that cannot work at the moment. */
export function isUnavailable(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.code === 'database_unavailable';
}

export function unavailable(message: string, cause: unknown): DatabaseError {
  return new DatabaseError('database_unavailable', message, { cause });
}
