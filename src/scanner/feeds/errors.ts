import { CodedError } from '../../platform/errors.ts';

/** A feed file as a whole cannot be used; single bad records are `FeedProblem`s instead. */
export class FeedError extends CodedError<'unreadable' | 'malformed' | 'nothing-found'> {}
