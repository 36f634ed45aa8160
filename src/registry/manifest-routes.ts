import type { FastifyReply } from 'fastify';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { MANIFEST_LIMIT } from '../oci/manifest.ts';
import { mediaTypeOf } from '../oci/media-types.ts';
import { isTag } from '../oci/reference.ts';
import { readBounded } from '../platform/streams.ts';
import { quotaWarning } from '../usage/quota.ts';
import { authorize, spend } from './access.ts';
import { auditOf } from './audit.ts';
import { etagOf, isUnchanged } from './conditional.ts';
import type { RegistryDeps } from './deps.ts';
import { RegistryError } from './errors.ts';
import { addWarnings, bodyOf, type Exchange, headerOf, lengthOf, repositoryPath } from './exchange.ts';
import { sendRefusal } from './http-errors.ts';
import type { ManifestInfo, StoredManifest } from './manifest-reader.ts';
import { deleteManifest, deleteTag, promiseManifest, storeManifest } from './manifest-writer.ts';
import { refuseMirrored } from './mirrored.ts';
import type { Caller, ManifestSubject } from './ports.ts';
import { ensureRepository, findRepository } from './repositories.ts';

/** More tags than this in one PUT are refused; the specification asks for at least 10. */
const MOST_TAGS = 100;

interface Located {
  readonly manifest: StoredManifest;
  readonly warnings: readonly string[];
}

/** GET and HEAD of a manifest by tag or digest: from here or, in mirror projects, from the upstream; then the gate. */
export async function getManifest(
  deps: RegistryDeps,
  { request, reply }: Exchange,
  repository: string,
  reference: string,
): Promise<FastifyReply> {
  const caller = await authorize(deps, request, repository, 'pull');
  spend(deps, request, caller, 'pulls');
  const head = request.method === 'HEAD';
  const { manifest, warnings } = await locate(deps, repository, reference);
  // Who may push looks at a manifest in order not to push it.
  if (head && manifest.mayExpire && caller.may(repository, 'push'))
    if (!(await promiseManifest(deps, manifest.repositoryId, manifest.digest)))
      throw manifestUnknown(repository, reference);
  if (!head || isGatedHead(manifest, caller)) {
    const decision = await deps.gate.decide({ ...manifest, reference }, caller);
    if (decision.kind === 'refuse') return sendRefusal(reply, decision);
    if (!head) addWarnings(reply, [...decision.warnings, ...warnings]);
  }
  // A runtime that has the image already only asks whether it still is the same.
  if (!head || !caller.may(repository, 'push')) deps.pulls?.pulled(manifest.repositoryId, manifest.digest);
  reply.header('docker-content-digest', manifest.digest).header('etag', etagOf(manifest.digest));
  if (isUnchanged(headerOf(request, 'if-none-match'), manifest.digest)) return reply.code(304).send();
  reply.header('content-type', manifest.mediaType).header('content-length', manifest.size);
  return reply.send(head ? undefined : manifest.content);
}

/**
 * HEAD is how pushers look for what is there already, so theirs is never refused, also with a token that was asked for to pull: clients
 * that attach something, like a statement about why an image is harmless, look for the image with one. In mirror projects nobody pushes,
 * and an answer without a body would hide the gate's sentence: the GET that follows carries it.
 */
function isGatedHead({ mirrored, repository }: ManifestInfo, caller: Caller): boolean {
  return !mirrored && !caller.may(repository, 'push') && caller.mayEverPush?.(repository) !== true;
}

async function locate(deps: RegistryDeps, repository: string, reference: string): Promise<Located> {
  const byDigest = reference.includes(':');
  if (byDigest) parseDigest(reference);
  const found = await deps.reads.manifest(repository, reference);
  // A mirrored tag may have moved on, and the content of a mirrored digest may not be whole yet.
  if (found && !found.mirrored) return { manifest: found, warnings: [] };
  const { mirror } = deps;
  if (mirror && (found?.mirrored || (await mirror.isMirrored(repository)))) {
    const stored = found !== undefined;
    const fetched =
      byDigest || isTag(reference) ? await mirror.ensureManifest(repository, reference, stored) : undefined;
    if (fetched) {
      const manifest = found?.digest === fetched.digest ? found : await deps.reads.manifest(repository, fetched.digest);
      if (manifest) return { manifest, warnings: fetched.warnings };
    }
    throw manifestUnknown(repository, reference);
  }
  throw await unknown(deps, repository, manifestUnknown(repository, reference));
}

function manifestUnknown(repository: string, reference: string): RegistryError {
  return new RegistryError('manifest_unknown', `${repository} has no manifest "${reference.slice(0, 150)}"`);
}

/** The error for something that is not there: the repository itself when that is not there either. */
export async function unknown(deps: RegistryDeps, repository: string, missing: RegistryError): Promise<RegistryError> {
  if (await findRepository(deps.db, repository)) return missing;
  return new RegistryError('name_unknown', `there is no repository "${repository}"`);
}

/** PUT of a manifest by tag, or by digest with `tag` parameters (distribution-spec, "Pushing Manifests"). */
export async function putManifest(
  deps: RegistryDeps,
  { request, reply, query }: Exchange,
  name: string,
  reference: string,
): Promise<FastifyReply> {
  const caller = await authorize(deps, request, name, 'push');
  spend(deps, request, caller, 'writes');
  await refuseMirrored(deps, name);
  const { digest: expected, tags } = targetOf(reference, query);
  const bytes = await readManifest(request);
  const repository = (await deps.reads.repository(name)) ?? (await ensureRepository(deps, name));
  const mediaType = mediaTypeOf(headerOf(request, 'content-type'));
  const { digest, manifest, fullness } = await storeManifest(deps, {
    repository,
    bytes,
    mediaType,
    digest: expected,
    tags,
    createdBy: caller.name,
    missingContent: 'refuse',
    audit: auditOf(deps, caller),
  });
  const subject = { repositoryId: repository.id, repository: name, digest, kind: manifest.kind, reference };
  const nearlyFull = fullness && quotaWarning(fullness);
  addWarnings(reply, [...(await announce(deps, subject)), ...(nearlyFull === undefined ? [] : [nearlyFull])]);
  reply.header('location', `${repositoryPath(name)}/manifests/${digest}`).header('docker-content-digest', digest);
  if (manifest.subject) reply.header('oci-subject', manifest.subject.digest);
  if (expected && tags.length > 0) reply.header('oci-tag', [...tags]);
  return reply.code(201).header('content-length', 0).send();
}

function targetOf(reference: string, query: URLSearchParams): { digest?: Digest; tags: readonly string[] } {
  if (!reference.includes(':')) {
    checkTag(reference);
    return { tags: [reference] };
  }
  const tags = [...new Set(query.getAll('tag'))];
  if (tags.length > MOST_TAGS)
    throw new RegistryError('too_many_tags', `${tags.length} tags in one request; at most ${MOST_TAGS}`);
  for (const tag of tags) checkTag(tag);
  return { digest: parseDigest(reference), tags };
}

function checkTag(tag: string): void {
  if (!isTag(tag))
    throw new RegistryError(
      'tag_invalid',
      `"${tag.slice(0, 150)}" is not a tag; use up to 128 letters, digits and . _ -, not starting with . or -`,
    );
}

async function readManifest(request: Exchange['request']): Promise<Buffer> {
  if ((lengthOf(request) ?? 0) > MANIFEST_LIMIT)
    throw new RegistryError('manifest_too_large', `a manifest may have at most ${MANIFEST_LIMIT} bytes`);
  return readBounded(bodyOf(request), MANIFEST_LIMIT, 'the manifest');
}

/** The manifest is stored whatever comes of this: a verdict that fails must not fail the push. */
async function announce(deps: RegistryDeps, subject: ManifestSubject): Promise<readonly string[]> {
  try {
    return (await deps.ingest.manifestStored(subject)).warnings;
  } catch (error) {
    deps.logger.error({ err: error, ...subject }, 'a stored manifest could not be judged');
    return [];
  }
}

/** DELETE: a tag takes only the tag away, a digest the manifest and every tag that points at it. */
export async function removeManifest(
  deps: RegistryDeps,
  { request, reply }: Exchange,
  name: string,
  reference: string,
): Promise<FastifyReply> {
  const caller = await authorize(deps, request, name, 'delete');
  spend(deps, request, caller, 'writes');
  const digest = reference.includes(':') ? parseDigest(reference) : undefined;
  const missing = manifestUnknown(name, reference);
  const repository = await findRepository(deps.db, name);
  if (!repository) throw await unknown(deps, name, missing);
  const removed = digest
    ? await deleteManifest(deps, repository, digest, auditOf(deps, caller))
    : await deleteTag(deps, repository, reference, auditOf(deps, caller));
  if (!removed) throw missing;
  return reply.code(202).header('content-length', 0).send();
}
