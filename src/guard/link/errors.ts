import { CodedError } from '../../platform/errors.ts';

export class LinkError extends CodedError<
  /** The server cannot be reached, or does not answer in time. */
  | 'unreachable'
  /** It does not let this account in, or not do this. */
  | 'denied'
  /** It asks to come back later. */
  | 'busy'
  | 'unexpected_reply'
  /** The file with the account or the certificates cannot be used. */
  | 'file_unusable'
> {
  /** When the server said to come back. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: LinkError['code'],
    message: string,
    options: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}
