import { CodedError } from '../platform/errors.ts';

/** What can go wrong in the registry; `http-errors.ts` gives each its status and its code on the wire. */
export type RegistryErrorCode =
  | 'blob_unknown'
  | 'blob_upload_invalid'
  | 'blob_upload_offset'
  | 'blob_upload_unknown'
  | 'digest_invalid'
  | 'manifest_blob_unknown'
  | 'manifest_invalid'
  | 'manifest_too_large'
  | 'manifest_unknown'
  | 'name_invalid'
  | 'name_unknown'
  | 'page_invalid'
  | 'range_invalid'
  | 'size_invalid'
  | 'tag_invalid'
  | 'too_many_tags'
  | 'denied'
  | 'quarantined'
  | 'unauthorized'
  | 'unsupported'
  | 'method_not_allowed'
  | 'storage_full'
  | 'too_many_requests'
  | 'unavailable';

export class RegistryError extends CodedError<RegistryErrorCode> {
  /** Structured addition for the error body, as the distribution specification allows it. */
  readonly detail: unknown;
  /** Headers the reply must carry: where an upload stands, what to authenticate for. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: RegistryErrorCode,
    message: string,
    options: { cause?: unknown; detail?: unknown; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(code, message, options.cause === undefined ? undefined : { cause: options.cause });
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }
}
