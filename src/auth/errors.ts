import { CodedError } from '../platform/errors.ts';

type AuthErrorCode =
  /** Nobody is logged in, or the credentials are wrong. */
  | 'unauthenticated'
  /** Known, but not allowed. */
  | 'denied'
  /** There is no such project, or the asker may not know of it. */
  | 'project_unknown'
  /** Too many wrong passwords; `retryAfterSeconds` says when to come back. */
  | 'throttled'
  | 'token_invalid'
  | 'scope_invalid'
  | 'key_invalid'
  | 'secret_unreadable'
  | 'name_invalid'
  | 'password_invalid'
  | 'user_exists'
  | 'user_unknown'
  | 'last_administrator'
  /** Accounts that cannot be, or are not, of one person. */
  | 'link_invalid'
  | 'robot_invalid'
  | 'robot_exists'
  | 'robot_unknown'
  /** A second secret of the robot is still in use. */
  | 'rotation_open'
  /** What was to be done takes rights that the person does not have. */
  | 'rights_exceeded'
  /** It has the form of a robot's secret, but cannot be one. */
  | 'secret_mistyped';

/** Everything that can go wrong between a person and what they want to do. */
export class AuthError extends CodedError<AuthErrorCode> {
  readonly retryAfterSeconds?: number;

  constructor(code: AuthErrorCode, message: string, options?: { cause?: unknown; retryAfterSeconds?: number }) {
    super(code, message, options);
    if (options?.retryAfterSeconds !== undefined) this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
