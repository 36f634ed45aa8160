import { CodedError } from '../platform/errors.ts';

export class RetentionError extends CodedError<'retention_invalid'> {}
