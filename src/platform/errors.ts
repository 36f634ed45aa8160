/**
 * Base of every error class of ours: a closed set of codes per domain and the cause.
 * A domain declares `class BlobError extends CodedError<'blob_unknown' | …> {}`; HTTP statuses are chosen at the edge only.
 */
export abstract class CodedError<Code extends string> extends Error {
  readonly code: Code;

  /** `message` says what was wrong with which input and what to do about it. */
  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The text of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
