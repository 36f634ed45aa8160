import type { BlobStore } from '../blobs/blob-store.ts';
import type { Db } from '../db/database.ts';
import { isForeignLayer } from '../oci/media-types.ts';
import { JsonError, parseStrictJson } from '../oci/strict-json.ts';
import { readBounded, StreamError } from '../platform/streams.ts';
import { type BlobReference, manifestBlobs } from '../registry/manifest-reader.ts';
import { VerdictError } from './errors.ts';
import type { LayerAnalyses } from './layer-analyses.ts';
import type { LayerAnalyser } from './ports.ts';
import type { Subject } from './subjects.ts';

/** Larger configurations are taken for those of an image; runtimes stop reading well before. Bytes. */
const CONFIG_LIMIT = 8 * 1024 * 1024;

export interface DisguiseDeps {
  readonly db: Db;
  readonly blobs: Pick<BlobStore, 'open'>;
  readonly analyser: LayerAnalyser;
  readonly layers: LayerAnalyses;
}

/**
 * True when a manifest that calls itself an artifact is an image by its content: the configuration lists layers as runtimes
 * expect it, and one of them is a file system or is not stored here. Media types do not settle it: podman, Docker and
 * containerd each start containers from configurations and layers whatever some of their types say. Signatures and
 * attestations borrow an image's configuration, but their layers are documents. Throws `VerdictError` layer_absent, layer_unreadable.
 */
export async function isDisguisedImage(deps: DisguiseDeps, subject: Subject): Promise<boolean> {
  const { config, layers } = await manifestBlobs(deps.db, subject.repositoryId, subject.digest);
  if (!config || layers.length === 0 || !(await listsLayers(deps, config))) return false;
  for (const layer of layers) {
    if (isForeignLayer(layer.mediaType)) return true;
    const evidence = await deps.layers.evidenceOf(layer);
    // A file system read only in part leaves a gap; a blob that is no file system is neither complete nor has gaps.
    if (evidence.complete) return true;
    const { complete } = await deps.analyser.compose([{ digest: layer.digest, evidence }]);
    if (!complete) return true;
  }
  return false;
}

/** True for a configuration with `rootfs.diff_ids`, in any case of letters, as Go reads it; and for one readers may dispute. */
async function listsLayers(deps: DisguiseDeps, { digest }: BlobReference): Promise<boolean> {
  // Only the row makes a blob visible; its file may be half there.
  const stored = await deps.db.selectFrom('blobs').select('digest').where('digest', '=', digest).executeTakeFirst();
  const content = stored && (await deps.blobs.open(digest));
  if (!content) throw new VerdictError('layer_absent', `configuration ${digest} is not stored here yet`);
  try {
    const config = parseStrictJson(await readBounded(content, CONFIG_LIMIT, 'the configuration'));
    const ids = membersOf(config, 'rootfs').flatMap((rootfs) => membersOf(rootfs, 'diff_ids'));
    return ids.some((list) => Array.isArray(list) && list.length > 0);
  } catch (error) {
    if (error instanceof StreamError) return true;
    // What is no JSON at all starts nowhere; what is JSON, but ambiguous, may.
    if (error instanceof JsonError) return error.cause === undefined;
    throw error;
  }
}

function membersOf(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => (key.toUpperCase().toLowerCase() === name ? [member] : []));
}
