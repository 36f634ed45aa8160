import { CodedError } from '../platform/errors.ts';

/**
 * `unauthenticated`: who is asking is not known. `denied`: known, but may not. `invalid`: a name or password that cannot be.
 * `user_exists`, `user_unknown`: as they say. `throttled`: too many wrong passwords lately.
 */
export class AuthError extends CodedError<
  'unauthenticated' | 'denied' | 'invalid' | 'user_exists' | 'user_unknown' | 'project_unknown' | 'throttled'
> {}
