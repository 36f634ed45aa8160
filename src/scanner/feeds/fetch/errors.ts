import { CodedError } from '../../../platform/errors.ts';

/** A source could not be fetched; the message names it and says why. What was fetched before is kept. */
export class FetchError extends CodedError<'refused' | 'unavailable' | 'too_large' | 'broken_off' | 'invalid'> {}
