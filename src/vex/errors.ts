import { CodedError } from '../platform/errors.ts';

export class VexError extends CodedError<
  /** The document cannot be read, or says what cannot be. */
  | 'vex_invalid'
  | 'vex_too_large'
  | 'vex_unknown'
  /** Nobody may be asked about it: it holds for every project, and no signature verifies. */
  | 'vex_unsigned'
  /** The key it is signed with counts no more. */
  | 'vex_revoked'
  | 'author_invalid'
  | 'author_exists'
  | 'author_unknown'
  | 'author_state'
> {}
