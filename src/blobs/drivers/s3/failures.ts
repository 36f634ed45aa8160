import { messageOf } from '../../../platform/errors.ts';
import { BlobError } from '../../blob-store.ts';

/** What the SDK puts on its errors. */
interface S3Failure {
  readonly name: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Where it went wrong, for sentences: no keys, no secrets. */
export interface Place {
  readonly bucket: string;
  /** Address of the store. */
  readonly endpoint: string;
  readonly region: string;
}

const CONNECTION =
  /^(?:E(?:CONNREFUSED|CONNRESET|CONNABORTED|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN|PIPE|TIMEDOUT|PROTO)|ERR_STREAM_PREMATURE_CLOSE|HPE_\w+)$/;

/** There is no such object; a bucket that is not there is another matter. */
export function isMissing(error: unknown): boolean {
  const { name, status } = describe(error);
  return name !== 'NoSuchBucket' && (status === 404 || name === 'NoSuchKey' || name === 'NotFound');
}

/** The upload in parts is gone, or one of its parts is not what we sent. */
export function isUploadGone(error: unknown): boolean {
  return ['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder'].includes(describe(error).name);
}

/** It may work the next time. */
export function isPassing(error: unknown): boolean {
  const { name, status, code } = describe(error);
  if (status !== undefined && status >= 400) return status >= 500 || status === 429 || status === 408;
  return name === 'TimeoutError' || name === 'RequestTimeout' || CONNECTION.test(code);
}

/** Any failure of the store as the error of our own, with a sentence for whoever runs it; our own errors pass. */
export function asBlobError(error: unknown, place: Place): BlobError {
  if (error instanceof BlobError) return error;
  // The SDK's own error holds the request with its signature; only what it says is kept.
  const cause = new Error(`${describe(error).name}: ${messageOf(error)}`);
  return new BlobError('storage_failed', sentence(error, place), { cause });
}

function sentence(error: unknown, { bucket, endpoint, region }: Place): string {
  const { name, status, code } = describe(error);
  const store = `the S3 store ${endpoint}`;
  switch (name) {
    case 'NoSuchBucket':
      return `the bucket "${bucket}" does not exist in ${store}; create it or correct BREAKWATER_BLOBS`;
    case 'InvalidAccessKeyId':
    // versitygw's name for it.
    case 'XAdminUserNotFound':
      return `${store} does not know the access key; check BREAKWATER_S3_ACCESS_KEY`;
    case 'SignatureDoesNotMatch':
      return `the secret key does not belong to the access key, says ${store}; check BREAKWATER_S3_SECRET_KEY`;
    case 'ExpiredToken':
    case 'CredentialsProviderError':
      return `there are no valid credentials for ${store}: ${messageOf(error)}; set BREAKWATER_S3_ACCESS_KEY and BREAKWATER_S3_SECRET_KEY`;
    case 'RequestTimeTooSkewed':
      return `the clock of this machine differs too much from that of ${store}; set it right`;
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return `the bucket "${bucket}" is not in the region ${region}, says ${store}; correct BREAKWATER_S3_REGION`;
    case 'TimeoutError':
      return `${store} did not answer in time; check BREAKWATER_S3_ENDPOINT and the network`;
    default:
      break;
  }
  if (CONNECTION.test(code))
    return `${store} cannot be reached (${code}); check BREAKWATER_S3_ENDPOINT and the network`;
  if (status === 301) return `the bucket "${bucket}" is not in the region ${region}; correct BREAKWATER_S3_REGION`;
  if (name === 'AccessDenied' || status === 403)
    return `${store} does not let these credentials use the bucket "${bucket}"; they must list, read, write and delete in it`;
  if (isPassing(error)) return `${store} is overloaded or out of order: ${name} ${status ?? ''}`.trimEnd();
  return `${store} failed: ${name}: ${messageOf(error)}`;
}

function describe(error: unknown): { name: string; code: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: 'Error', code: '', status: undefined };
  const { name, code = '', $metadata } = error as S3Failure;
  return { name, code, status: $metadata?.httpStatusCode };
}
