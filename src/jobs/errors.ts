import { CodedError } from '../platform/errors.ts';

/** A handler throws `rejected` for work that will never succeed: it is then not tried again. */
export class JobError extends CodedError<'rejected' | 'payload_invalid'> {}
