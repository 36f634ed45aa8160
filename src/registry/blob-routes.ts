import type { OutgoingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { BlobError, type SendBlob } from '../blobs/blob-store.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { authorize, spend } from './access.ts';
import { auditOf } from './audit.ts';
import { declaredSize, type LinkedBlob, promiseBlob, unlinkBlob } from './blob-links.ts';
import { etagOf, isUnchanged, rangeApplies } from './conditional.ts';
import type { RegistryDeps } from './deps.ts';
import { RegistryError } from './errors.ts';
import { type Exchange, headerOf } from './exchange.ts';
import { sendRefusal } from './http-errors.ts';
import { unknown } from './manifest-routes.ts';
import { refuseQuarantined } from './quarantined.ts';
import { parseRange } from './ranges.ts';
import { findRepository } from './repositories.ts';
import { isPromised } from './reviews.ts';

/** GET (whole or a range) and HEAD of a blob. */
export async function getBlob(
  deps: RegistryDeps,
  { request, reply }: Exchange,
  repository: string,
  reference: string,
): Promise<FastifyReply> {
  const caller = await authorize(deps, request, repository, 'pull');
  const digest = parseDigest(reference);
  await refuseQuarantined(deps, [digest]);
  // A HEAD is how pushers look for what is there already.
  const decision = request.method === 'HEAD' ? undefined : await deps.blobGate?.decide(repository, digest, caller);
  if (decision?.kind === 'refuse') return sendRefusal(reply, decision);
  const blob = await deps.reads.blob(repository, digest);
  if (!blob) return getMirroredBlob(deps, { request, reply }, repository, digest);
  // Who may push looks at a blob in order not to push it.
  if (request.method === 'HEAD' && caller.may(repository, 'push')) await keepPromised(deps, repository, digest, blob);
  describe(reply, digest);
  if (isUnchanged(headerOf(request, 'if-none-match'), digest)) return reply.code(304).send();
  reply.header('accept-ranges', 'bytes');
  if (request.method === 'HEAD') return reply.header('content-length', blob.size).send();
  const elsewhere = blob.size === 0 ? undefined : await deps.blobs.temporaryUrl?.(digest);
  // Whoever has the address may read there: no cache may give it to others.
  if (elsewhere !== undefined)
    return reply
      .code(307)
      .header('location', elsewhere)
      .header('cache-control', 'no-store')
      .header('content-length', 0)
      .send();
  const wanted = rangeApplies(headerOf(request, 'if-range'), digest)
    ? parseRange(headerOf(request, 'range'), blob.size)
    : undefined;
  const range = wanted ?? { first: 0, last: blob.size - 1 };
  if (blob.size === 0) return reply.header('content-length', 0).send(Buffer.alloc(0));
  const { openToSend } = deps.blobs;
  const content = orLost(deps, digest, await (openToSend ? openToSend(digest, range) : deps.blobs.open(digest, range)));
  if (wanted) reply.code(206).header('content-range', `bytes ${range.first}-${range.last}/${blob.size}`);
  reply.header('content-length', range.last - range.first + 1);
  return content instanceof Readable ? reply.send(content) : sendDirectly(deps, reply, content);
}

async function keepPromised(deps: RegistryDeps, repository: string, digest: Digest, blob: LinkedBlob): Promise<void> {
  if (isPromised(blob.promisedUntil, deps.clock.now())) return;
  if (!(await promiseBlob(deps, blob.repositoryId, digest))) throw blobUnknown(repository, digest);
}

function blobUnknown(repository: string, digest: Digest): RegistryError {
  return new RegistryError('blob_unknown', `${repository} has no blob ${digest}`);
}

function orLost<Content>({ logger }: RegistryDeps, digest: Digest, content: Content | undefined): Content {
  if (content !== undefined) return content;
  logger.error({ digest }, 'a blob is in the database but not in the blob storage');
  throw new RegistryError('unavailable', `the content of ${digest} is lost here; push it again`);
}

/** Past the framework, which takes streams only: these would need a new buffer for every piece. */
async function sendDirectly({ logger }: RegistryDeps, reply: FastifyReply, send: SendBlob): Promise<FastifyReply> {
  const { raw } = reply.hijack();
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  try {
    await send(raw);
    raw.end();
  } catch (error) {
    // The head is out: only a connection that breaks tells the client that this is not all.
    if (!(error instanceof BlobError && error.code === 'receiver_gone'))
      logger.error({ err: error, url: reply.request.url }, 'a blob could not be sent to its end');
    raw.destroy();
  }
  return reply;
}

function describe(reply: FastifyReply, digest: Digest): void {
  reply
    .header('docker-content-digest', digest)
    .header('etag', etagOf(digest))
    .header('content-type', 'application/octet-stream');
}

/** A blob that is not here: in mirror projects it comes from the upstream, always whole. */
async function getMirroredBlob(
  deps: RegistryDeps,
  { request, reply }: Pick<Exchange, 'request' | 'reply'>,
  repository: string,
  digest: Digest,
): Promise<FastifyReply> {
  const missing = blobUnknown(repository, digest);
  if (!deps.mirror || !(await deps.mirror.isMirrored(repository))) throw await unknown(deps, repository, missing);
  if (request.method === 'HEAD') {
    const size = await declaredSize(deps.db, repository, digest);
    if (size === undefined) throw missing;
    describe(reply, digest);
    return reply.header('content-length', size).send();
  }
  const opened = await deps.mirror.openBlob(repository, digest);
  if (!opened) throw missing;
  describe(reply, digest);
  return reply
    .header('content-length', opened.size)
    .send(Readable.from(opened.content, { objectMode: false, highWaterMark: 1024 * 1024 }));
}

/** DELETE: takes the blob out of this repository at once; other repositories keep it. */
export async function removeBlob(
  deps: RegistryDeps,
  { request, reply }: Exchange,
  name: string,
  reference: string,
): Promise<FastifyReply> {
  const caller = await authorize(deps, request, name, 'delete');
  spend(deps, request, caller, 'writes');
  const digest = parseDigest(reference);
  const missing = blobUnknown(name, digest);
  const repository = await findRepository(deps.db, name);
  if (!repository) throw await unknown(deps, name, missing);
  if (!(await unlinkBlob(deps, repository, digest, auditOf(deps, caller)))) throw missing;
  return reply.code(202).header('content-length', 0).send();
}
