import { CodedError } from '../platform/errors.ts';

/**
 * What went wrong between us and another registry. `unavailable` covers everything that may pass (network, 5xx, 429,
 * time-outs): a stored copy may be served instead. `not_found` only when the other side said so with authority.
 */
export class UpstreamError extends CodedError<'unavailable' | 'denied' | 'not_found' | 'invalid_response'> {
  /** Seconds the other side asks us to wait (429, 503). */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: 'unavailable' | 'denied' | 'not_found' | 'invalid_response',
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number | undefined } = {},
  ) {
    super(code, message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
