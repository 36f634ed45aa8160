import { CodedError } from '../platform/errors.ts';

/**
 * `source_unusable`: there is nothing to import from there at all. `missing`, `damaged`: one thing of the source that cannot be had whole.
 * `refused`: the target does not take it. `gave_up`: one side does not answer any more; the same command goes on later.
 */
export class ImportError extends CodedError<'source_unusable' | 'missing' | 'damaged' | 'refused' | 'gave_up'> {}
