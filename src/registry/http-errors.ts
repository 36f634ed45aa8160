import type { FastifyReply, FastifyRequest } from 'fastify';
import { BlobError } from '../blobs/blob-store.ts';
import { isUnavailable } from '../db/errors.ts';
import { DigestError } from '../oci/digest.ts';
import { ManifestError } from '../oci/manifest.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { StreamError } from '../platform/streams.ts';
import { RegistryError, type RegistryErrorCode } from './errors.ts';
import type { GateDecision } from './ports.ts';

/** Status and code on the wire of everything that can go wrong (distribution-spec, "Error Codes"; `TAG_INVALID` is among its legacy codes, those of 5xx are as in Distribution). */
const WIRE: Readonly<Record<RegistryErrorCode, readonly [status: number, code: string]>> = {
  blob_unknown: [404, 'BLOB_UNKNOWN'],
  blob_upload_invalid: [400, 'BLOB_UPLOAD_INVALID'],
  blob_upload_offset: [416, 'BLOB_UPLOAD_INVALID'],
  blob_upload_unknown: [404, 'BLOB_UPLOAD_UNKNOWN'],
  digest_invalid: [400, 'DIGEST_INVALID'],
  manifest_blob_unknown: [404, 'MANIFEST_BLOB_UNKNOWN'],
  manifest_invalid: [400, 'MANIFEST_INVALID'],
  manifest_too_large: [413, 'SIZE_INVALID'],
  manifest_unknown: [404, 'MANIFEST_UNKNOWN'],
  name_invalid: [400, 'NAME_INVALID'],
  name_unknown: [404, 'NAME_UNKNOWN'],
  page_invalid: [400, 'UNSUPPORTED'],
  range_invalid: [416, 'SIZE_INVALID'],
  size_invalid: [400, 'SIZE_INVALID'],
  tag_invalid: [400, 'TAG_INVALID'],
  too_many_tags: [414, 'TAG_INVALID'],
  denied: [403, 'DENIED'],
  // As the gate refuses manifests.
  quarantined: [412, 'PROJECTPOLICYVIOLATION'],
  unauthorized: [401, 'UNAUTHORIZED'],
  unsupported: [404, 'UNSUPPORTED'],
  method_not_allowed: [405, 'UNSUPPORTED'],
  // Not 507: clients know 503 and try again.
  storage_full: [503, 'UNAVAILABLE'],
  too_many_requests: [429, 'TOOMANYREQUESTS'],
  unavailable: [503, 'UNAVAILABLE'],
};

/** Answers with an error body in the specification's form. */
async function sendError(
  reply: FastifyReply,
  status: number,
  error: { readonly code: string; readonly message: string; readonly detail?: unknown },
): Promise<FastifyReply> {
  const body = Buffer.from(`${JSON.stringify({ errors: [error] })}\n`);
  return reply.code(status).header('content-type', 'application/json; charset=utf-8').send(body);
}

/** Answers with what the gate refuses. */
export async function sendRefusal(
  reply: FastifyReply,
  { code, message, retryAfterSeconds }: Extract<GateDecision, { readonly kind: 'refuse' }>,
): Promise<FastifyReply> {
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
  return sendError(reply, 412, { code, message });
}

/** The error handler of the registry's routes: every error of ours gets its code; what is left is 500 and logged. */
export function errorHandler(logger: Logger) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const known = asRegistryError(error);
    if (known) {
      const [status, code] = WIRE[known.code];
      // Nobody's request is at fault, and which line of ours noticed it does not matter.
      if (status >= 500)
        logger.error({ error: messageOf(error), method: request.method, url: request.url }, 'request failed');
      reply.headers(known.headers);
      return sendError(reply, status, {
        code,
        message: known.message,
        ...(known.detail === undefined ? {} : { detail: known.detail }),
      });
    }
    // The client is gone: nobody reads the reply, and it is no fault of ours.
    if (request.raw.readableAborted)
      return sendError(reply, 400, { code: 'UNKNOWN', message: 'the request broke off' });
    const status = statusOf(error);
    if (status !== undefined) return sendError(reply, status, { code: 'UNSUPPORTED', message: messageOf(error) });
    logger.error({ err: error, method: request.method, url: request.url }, 'request failed');
    return sendError(reply, 500, {
      code: 'UNKNOWN',
      message: 'internal error; the log of the registry has the details',
    });
  };
}

function asRegistryError(error: unknown): RegistryError | undefined {
  if (error instanceof RegistryError) return error;
  if (error instanceof DigestError) return new RegistryError('digest_invalid', error.message);
  if (error instanceof ManifestError) return new RegistryError('manifest_invalid', error.message);
  if (error instanceof StreamError) return new RegistryError('manifest_too_large', error.message);
  if (error instanceof BlobError) return fromBlobError(error);
  if (isUnavailable(error))
    return new RegistryError('unavailable', `${error.message}; try again later`, { cause: error, headers: RETRY });
  return undefined;
}

const FROM_BLOBS: Readonly<Record<BlobError['code'], RegistryErrorCode>> = {
  upload_id_invalid: 'blob_upload_unknown',
  upload_offset: 'blob_upload_offset',
  upload_busy: 'blob_upload_offset',
  upload_interrupted: 'blob_upload_invalid',
  digest_mismatch: 'digest_invalid',
  range_invalid: 'unavailable',
  receiver_gone: 'unavailable',
  storage_failed: 'unavailable',
  storage_full: 'storage_full',
};

/** What is overloaded, full or away is seldom back at once. */
const RETRY = { 'retry-after': '10' };

/** What is wrong with our storage is for the log, not for clients; that it is full is for them too. */
function fromBlobError(error: BlobError): RegistryError {
  const code = FROM_BLOBS[error.code];
  const message = MESSAGES[code] ?? error.message;
  return new RegistryError(code, message, { cause: error, ...(code in MESSAGES ? { headers: RETRY } : {}) });
}

const MESSAGES: Partial<Readonly<Record<RegistryErrorCode, string>>> = {
  storage_full: 'the registry has no room left for blobs; tell its administrator, and try again later',
  unavailable: 'the blob storage does not answer as it should; try again later',
};

/** Status of an error that Fastify raised itself, such as a Content-Type it cannot read. */
function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 0;
  return status >= 400 && status < 500 ? status : undefined;
}
