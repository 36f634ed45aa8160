import type { FastifyReply } from 'fastify';
import { BlobError, putBlob } from '../blobs/blob-store.ts';
import { type Digest, type DigestAlgorithm, parseDigest } from '../oci/digest.ts';
import type { ByteSource } from '../platform/streams.ts';
import { authorize, spend } from './access.ts';
import { findBlob, linkBlob, linkPushedBlob, repositoriesWithBlob } from './blob-links.ts';
import type { RegistryDeps } from './deps.ts';
import { RegistryError } from './errors.ts';
import { bodyOf, type Exchange, hasBody, headerOf, lengthOf, repositoryPath } from './exchange.ts';
import { refuseMirrored } from './mirrored.ts';
import type { Caller } from './ports.ts';
import { refuseQuarantined } from './quarantined.ts';
import { type Room, refuseLarger, roomFor, withinRoom } from './quota.ts';
import { parseChunkRange, uploadRange } from './ranges.ts';
import { ensureRepository, type Repository } from './repositories.ts';
import { cancelSession, findSession, startSession, touchSession, type UploadSession } from './upload-sessions.ts';

/** Repositories tried for a mount that does not say where from. */
const MOUNT_CANDIDATES = 50;

/** POST: mounts a blob, takes a whole one, or begins an upload (distribution-spec, "Pushing blobs"). */
export async function startUpload(
  deps: RegistryDeps,
  { request, reply, query }: Exchange,
  name: string,
): Promise<FastifyReply> {
  const caller = await authorize(deps, request, name, 'push', query.get('from') ?? undefined);
  spend(deps, request, caller, 'writes');
  await refuseMirrored(deps, name);
  const algorithm = parseAlgorithm(query.get('digest-algorithm'));
  const mount = query.get('mount');
  const digest = query.get('digest');
  const wanted = digest === null ? undefined : parseDigest(digest);
  await refuseQuarantined(deps, [...(mount === null ? [] : [parseDigest(mount)]), ...(wanted ? [wanted] : [])]);
  const repository = (await deps.reads.repository(name)) ?? (await ensureRepository(deps, name));
  if (mount !== null && (await mountBlob(deps, caller, repository, parseDigest(mount), query.get('from'))))
    return created(reply, name, parseDigest(mount));
  const room = await roomFor(deps, name);
  refuseLarger(room, wanted && lengthOf(request));
  if (wanted) {
    const { size } = await putBlob(deps.blobs, wanted, bodyWithin(request, room)).catch(withoutWrapping);
    await finish(deps, repository.id, { digest: wanted, size });
    return created(reply, name, wanted);
  }
  const id = await startSession(deps, repository.id);
  return standing(reply, name, { id, size: 0, algorithm }).code(202).header('content-length', 0).send();
}

/** Links a blob the caller may pull elsewhere; false when there is none, which is no error: the client then uploads. */
async function mountBlob(
  deps: RegistryDeps,
  caller: Caller,
  repository: Repository,
  digest: Digest,
  from: string | null,
): Promise<boolean> {
  const sources = from === null ? await repositoriesWithBlob(deps.db, digest, MOUNT_CANDIDATES) : [from];
  const source = sources.find((candidate) => caller.may(candidate, 'pull'));
  const blob = source === undefined ? undefined : await findBlob(deps.db, source, digest);
  if (!blob) return false;
  try {
    await linkBlob(deps, repository.id, { digest, size: blob.size }, { mounted: true, pushed: true });
    return true;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'unavailable') return false;
    throw error;
  }
}

/** PATCH: the next chunk, or everything in one stream of unknown length. */
export async function appendChunk(
  deps: RegistryDeps,
  exchange: Exchange,
  name: string,
  id: string,
): Promise<FastifyReply> {
  const { session, algorithm } = await enter(deps, exchange, name, id);
  const size = await receive(deps, exchange, name, session, algorithm);
  await touchSession(deps, session, size);
  return standing(exchange.reply, name, { id, size, algorithm }).code(202).header('content-length', 0).send();
}

/** PUT: the last chunk, if any, and the digest of the whole. */
export async function finishUpload(
  deps: RegistryDeps,
  exchange: Exchange,
  name: string,
  id: string,
): Promise<FastifyReply> {
  const { session } = await enter(deps, exchange, name, id);
  const digest = parseDigest(exchange.query.get('digest') ?? '');
  try {
    await refuseQuarantined(deps, [digest]);
  } catch (error) {
    // It can never be finished, and what was received takes up space.
    await cancelSession(deps, session.id);
    throw error;
  }
  if (hasBody(exchange.request))
    await receive(deps, exchange, name, session, digest.startsWith('sha512:') ? 'sha512' : 'sha256');
  try {
    const { size } = await deps.blobs.commit(id, digest);
    await finish(deps, session.repositoryId, { digest, size }, id);
  } catch (error) {
    if (isBlobError(error, 'digest_mismatch')) await cancelSession(deps, id);
    throw error;
  }
  return created(exchange.reply, name, digest);
}

/** GET: where the upload stands. */
export async function uploadStatus(
  deps: RegistryDeps,
  exchange: Exchange,
  name: string,
  id: string,
): Promise<FastifyReply> {
  const { algorithm } = await enter(deps, exchange, name, id);
  const size = await deps.blobs.uploadSize(id);
  return standing(exchange.reply, name, { id, size, algorithm }).code(204).send();
}

/** DELETE: forgets the upload. */
export async function cancelUpload(
  deps: RegistryDeps,
  exchange: Exchange,
  name: string,
  id: string,
): Promise<FastifyReply> {
  const { session } = await enter(deps, exchange, name, id);
  await cancelSession(deps, session.id);
  return exchange.reply.code(204).send();
}

async function enter(
  deps: RegistryDeps,
  { request, query }: Exchange,
  name: string,
  id: string,
): Promise<{ readonly session: UploadSession; readonly algorithm: DigestAlgorithm | undefined }> {
  await authorize(deps, request, name, 'push');
  const session = await findSession(deps.db, name, id);
  if (!session)
    throw new RegistryError('blob_upload_unknown', 'there is no such upload; it was finished, cancelled or abandoned');
  return { session, algorithm: parseAlgorithm(query.get('digest-algorithm')) };
}

/** Appends the body of the request. Errors about the offset say where the upload stands, so the client can go on there. */
async function receive(
  deps: RegistryDeps,
  { request, query }: Exchange,
  name: string,
  session: UploadSession,
  algorithm: DigestAlgorithm | undefined,
): Promise<number> {
  const chunk = parseChunkRange(headerOf(request, 'content-range'), lengthOf(request));
  const standsAt = await deps.blobs.uploadSize(session.id);
  const room = await roomFor(deps, name);
  try {
    refuseLarger(room, standsAt + (lengthOf(request) ?? 0));
    const body = bodyWithin(request, room, standsAt);
    const size = await deps.blobs.append(session.id, chunk?.first ?? standsAt, body, algorithm).catch(withoutWrapping);
    if (chunk && size !== chunk.first + chunk.length)
      throw new RegistryError('size_invalid', `the chunk had ${size - chunk.first} bytes, not ${chunk.length}`);
    return size;
  } catch (error) {
    // It can never be finished, and what was received takes up space.
    if (error instanceof RegistryError && error.code === 'denied') await cancelSession(deps, session.id);
    if (!isBlobError(error, 'upload_offset') && !isBlobError(error, 'upload_busy')) throw error;
    const range = uploadRange(await deps.blobs.uploadSize(session.id));
    const location = uploadPath(name, session.id, parseAlgorithm(query.get('digest-algorithm')));
    throw new RegistryError('blob_upload_offset', error.message, { cause: error, headers: { location, range } });
  }
}

/** Makes a durable blob visible and tells about it. */
async function finish(
  deps: RegistryDeps,
  repositoryId: string,
  blob: { readonly digest: Digest; readonly size: number },
  uploadId?: string,
): Promise<void> {
  await linkPushedBlob(deps, repositoryId, blob, uploadId === undefined ? {} : { uploadId });
  try {
    deps.ingest.blobCommitted({ ...blob, repositoryId });
  } catch (error) {
    deps.logger.error({ err: error, digest: blob.digest }, 'a committed blob could not be announced');
  }
}

/** The body of a push, as far as there is room for it. */
function bodyWithin(request: Exchange['request'], room: Room | undefined, alreadyReceived = 0): ByteSource {
  const body = bodyOf(request);
  return room ? withinRoom(body, room, alreadyReceived) : body;
}

/** A refusal of ours that broke a source off, as it was thrown, not as what it did to the storage. */
function withoutWrapping(error: unknown): never {
  throw isBlobError(error, 'upload_interrupted') && error.cause instanceof RegistryError ? error.cause : error;
}

function created(reply: FastifyReply, name: string, digest: Digest): FastifyReply {
  return reply
    .code(201)
    .header('location', `${repositoryPath(name)}/blobs/${digest}`)
    .header('docker-content-digest', digest)
    .header('content-length', 0)
    .send();
}

function standing(
  reply: FastifyReply,
  name: string,
  upload: { readonly id: string; readonly size: number; readonly algorithm: DigestAlgorithm | undefined },
): FastifyReply {
  return reply
    .header('location', uploadPath(name, upload.id, upload.algorithm))
    .header('range', uploadRange(upload.size))
    .header('docker-upload-uuid', upload.id);
}

/** The announced algorithm travels in the address, so that the upload is hashed right after a restart too. */
function uploadPath(name: string, id: string, algorithm: DigestAlgorithm | undefined): string {
  const query = algorithm === undefined ? '' : `?digest-algorithm=${algorithm}`;
  return `${repositoryPath(name)}/blobs/uploads/${id}${query}`;
}

function parseAlgorithm(text: string | null): DigestAlgorithm | undefined {
  if (text === null) return undefined;
  if (text === 'sha256' || text === 'sha512') return text;
  throw new RegistryError(
    'digest_invalid',
    `digest algorithm "${text.slice(0, 50)}" is not supported; use sha256 or sha512`,
  );
}

function isBlobError(error: unknown, code: BlobError['code']): error is BlobError {
  return error instanceof BlobError && error.code === code;
}
