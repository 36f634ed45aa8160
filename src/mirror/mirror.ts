import type { BlobStore } from '../blobs/blob-store.ts';
import type { Db } from '../db/database.ts';
import { type Digest, tryParseDigest } from '../oci/digest.ts';
import type { ManifestKind } from '../oci/manifest.ts';
import { isForeignLayer } from '../oci/media-types.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { createTaskSet } from '../platform/task-set.ts';
import { declaredSize } from '../registry/blob-links.ts';
import {
  ensureRepository,
  findBlob,
  findManifestInfo,
  findRepository,
  linkBlob,
  manifestBlobs,
  type Repository,
  setTag,
  storeManifest,
} from '../registry/content-store.ts';
import { RegistryError } from '../registry/errors.ts';
import type { IngestObserver, MirrorSource } from '../registry/ports.ts';
import type { Downloads } from './downloads.ts';
import { UpstreamError } from './errors.ts';
import { confirmTag, findKnownTag } from './freshness.ts';
import { repositoryFor } from './namespaces.ts';
import { readReferrers } from './referrers.ts';
import type { Upstream } from './upstreams.ts';

export interface MirrorDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly blobs: BlobStore;
  readonly downloads: Downloads;
  readonly ingest: IngestObserver;
  upstreamFor(repository: string): Promise<Upstream | undefined>;
}

/** A repository of ours. */
type Place = Pick<Repository, 'id' | 'name'>;
type Ensured = { readonly digest: Digest; readonly warnings: readonly string[] } | undefined;

/** Who is written as the author of mirrored manifests. */
const AUTHOR = 'mirror';
/** A failing upstream is left alone this long, unless it says itself when to come back. */
const PAUSE_MS = 15_000;
const LAYERS_AT_ONCE = 3;
const MOST_REMEMBERED = 10_000;

/**
 * Pull-through: what a mirror project does not have is fetched once from its upstream, stored byte for byte, and handed to
 * the same analysis and gate as a push. By digest a stored copy is served without asking; by tag after the freshness
 * window the upstream is asked with HEAD. When the upstream is away the stored copy is served with a warning; only its own
 * 404 hides a tag. Throws `RegistryError('unavailable')` when there is nothing to fall back on.
 */
export function createMirror(deps: MirrorDeps): MirrorSource & { drain(): Promise<void> } {
  const underWay = new Map<string, Promise<Ensured>>();
  const pausedUntil = new Map<string, number>();
  const background = createTaskSet();
  /** Manifests whose content is on its way, and those known to be complete (the rest is looked up again). */
  const arriving = new Set<string>();
  const whole = new Set<string>();

  /** Asks the upstream unless it failed a moment ago. */
  async function ask<Result>(upstream: Upstream, question: () => Promise<Result>): Promise<Result> {
    const { host } = upstream.client;
    const until = pausedUntil.get(host) ?? 0;
    if (until > deps.clock.now())
      throw new UpstreamError('unavailable', `${host} failed a moment ago and is left alone until it may be back`);
    try {
      return await question();
    } catch (error) {
      if (error instanceof UpstreamError && error.code === 'unavailable')
        pausedUntil.set(host, deps.clock.now() + (error.retryAfterSeconds ? error.retryAfterSeconds * 1000 : PAUSE_MS));
      throw error;
    }
  }

  async function ensureByDigest(upstream: Upstream, name: string, digest: Digest, seen: boolean): Promise<Ensured> {
    // What was whole once may have been given up since, by any replica.
    if (seen && whole.has(`${name}@${digest}`)) return { digest, warnings: [] };
    const stored = await findManifestInfo(deps.db, name, digest);
    if (!stored) return fetchManifest(upstream, name, digest);
    completeContent(upstream, { id: stored.repositoryId, name }, digest, stored.kind);
    return { digest, warnings: [] };
  }

  async function ensureByTag(upstream: Upstream, name: string, tag: string): Promise<Ensured> {
    const repository = await findRepository(deps.db, name);
    const known = repository && (await findKnownTag(deps.db, repository.id, tag));
    const stored = repository && known && (await findManifestInfo(deps.db, name, known.digest));
    if (!repository || !known || !stored) return fetchManifest(upstream, name, tag);
    completeContent(upstream, repository, known.digest, stored.kind);
    if (deps.clock.now() - known.checkedAt < upstream.settings.freshnessSeconds * 1000)
      return { digest: known.digest, warnings: [] };
    try {
      const head = await ask(upstream, () => upstream.client.headManifest(upstream.nameThere(name), tag));
      if (head === undefined) return undefined;
      if (head.digest !== known.digest) return await fetchManifest(upstream, name, tag);
      await confirmTag(deps.db, repository.id, tag, { digest: known.digest, checkedAt: deps.clock.now() });
      return { digest: known.digest, warnings: [] };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      deps.logger.warn({ repository: name, tag, error: error.message }, 'upstream failed, serving the stored copy');
      const when = new Date(known.checkedAt).toISOString();
      return { digest: known.digest, warnings: [`served from the copy of ${when}: ${error.message}`] };
    }
  }

  async function fetchManifest(upstream: Upstream, name: string, reference: string): Promise<Ensured> {
    const found = await ask(upstream, () => upstream.client.getManifest(upstream.nameThere(name), reference));
    if (!found) return undefined;
    const repository = await ensureRepository(deps, name);
    const { digest, manifest } = await storeManifest(deps, {
      repository,
      bytes: found.content,
      mediaType: found.mediaType,
      digest: found.digest,
      tags: [],
      createdBy: AUTHOR,
      missingContent: 'accept',
    });
    if (tryParseDigest(reference) === undefined) {
      await setTag(deps, repository.id, reference, digest);
      await confirmTag(deps.db, repository.id, reference, { digest, checkedAt: deps.clock.now() });
    }
    whole.delete(`${name}@${digest}`);
    completeContent(upstream, repository, digest, manifest.kind);
    return { digest, warnings: [] };
  }

  /** Has the content of a manifest fetched and judged in the background, unless it is whole or on its way already. */
  function completeContent(upstream: Upstream, repository: Place, digest: Digest, kind: ManifestKind): void {
    const key = `${repository.name}@${digest}`;
    if (whole.has(key) || arriving.has(key)) return;
    arriving.add(key);
    background.run(
      async () => {
        try {
          await fetchContent(upstream, repository, digest);
          await deps.ingest.manifestStored({ repositoryId: repository.id, repository: repository.name, digest, kind });
          rememberWhole(key);
        } finally {
          arriving.delete(key);
        }
      },
      (error) =>
        deps.logger.warn(
          { repository: repository.name, digest, error: messageOf(error) },
          'mirrored image is not whole yet',
        ),
    );
  }

  function rememberWhole(key: string): void {
    if (whole.size >= MOST_REMEMBERED) whole.clear();
    whole.add(key);
  }

  /** Fetches config and layers of an image, so that it can be judged; a client's own requests join in. */
  async function fetchContent(upstream: Upstream, repository: Place, digest: Digest): Promise<void> {
    const { config, layers } = await manifestBlobs(deps.db, repository.id, digest);
    const wanted = [...(config ? [config] : []), ...layers.filter((layer) => !isForeignLayer(layer.mediaType))];
    const queue = [...new Map(wanted.map((blob) => [blob.digest, blob])).values()];
    const worker = async () => {
      for (let blob = queue.shift(); blob; blob = queue.shift())
        await fetchBlob(upstream, repository, blob.digest, blob.size);
    };
    await Promise.all(Array.from({ length: LAYERS_AT_ONCE }, worker));
  }

  async function fetchBlob(upstream: Upstream, repository: Place, digest: Digest, size: number): Promise<void> {
    if (await findBlob(deps.db, repository.name, digest)) return;
    if ((await deps.blobs.stat(digest))?.size !== size) await download(upstream, repository.name, digest, size).done;
    await linkBlob(deps, repository.id, { digest, size });
    deps.ingest.blobCommitted({ digest, size, repositoryId: repository.id });
  }

  function download(upstream: Upstream, name: string, digest: Digest, size: number) {
    return deps.downloads.fetch(digest, size, async () => {
      const blob = await ask(upstream, () => upstream.client.getBlob(upstream.nameThere(name), digest));
      if (!blob)
        throw new UpstreamError(
          'not_found',
          `${upstream.client.host} has a manifest that names ${digest}, but not that blob`,
        );
      return blob.content;
    });
  }

  return {
    async isMirrored(repository) {
      return (await deps.upstreamFor(repository)) !== undefined;
    },

    async ensureManifest(repository, reference, stored) {
      const upstream = await deps.upstreamFor(repository);
      if (!upstream) return undefined;
      const key = `${repository}@${reference}`;
      let running = underWay.get(key);
      if (!running) {
        const digest = tryParseDigest(reference);
        const ensured = digest
          ? ensureByDigest(upstream, repository, digest, stored)
          : ensureByTag(upstream, repository, reference);
        running = ensured.catch(asRegistryError).finally(() => underWay.delete(key));
        underWay.set(key, running);
      }
      return running;
    },

    repositoryFor: (namespace, repository) => repositoryFor(deps.db, namespace, repository),

    async referrers(repository, subject) {
      const upstream = await deps.upstreamFor(repository);
      if (!upstream) return undefined;
      try {
        const index = await ask(upstream, () => upstream.client.getReferrers(upstream.nameThere(repository), subject));
        return index ? readReferrers(index) : [];
      } catch (error) {
        // An empty list would say that there is no signature.
        return asRegistryError(error);
      }
    },

    async openBlob(name, digest) {
      const upstream = await deps.upstreamFor(name);
      const repository = upstream && (await findRepository(deps.db, name));
      // Only what a stored manifest names: the size must be known, and a mirror is no open relay.
      const size = repository && (await declaredSize(deps.db, name, digest));
      if (!upstream || !repository || size === undefined) return undefined;
      const under = download(upstream, name, digest, size);
      background.run(
        () => fetchBlob(upstream, repository, digest, size),
        (error) =>
          deps.logger.warn({ repository: name, digest, error: messageOf(error) }, 'mirrored blob did not arrive'),
      );
      return { size, content: under.follow() };
    },

    async drain() {
      await deps.downloads.drain();
      await background.drain();
    },
  };
}

/** The registry's clients learn that the upstream is the problem, never that the image does not exist. */
function asRegistryError(error: unknown): never {
  if (!(error instanceof UpstreamError)) throw error;
  const { retryAfterSeconds } = error;
  throw new RegistryError('unavailable', `the upstream of this mirror cannot be used: ${error.message}`, {
    cause: error,
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': String(retryAfterSeconds) } }),
  });
}
