import { CodedError } from '../platform/errors.ts';

export class NotifyError extends CodedError<
  | 'receiver_invalid'
  | 'receiver_exists'
  | 'receiver_unknown'
  | 'message_unknown'
  /** Two secrets count already. */
  | 'receiver_rotating'
  /** Only administrators of the installation have the server connect to private addresses, or without TLS. */
  | 'receiver_reach'
> {}
