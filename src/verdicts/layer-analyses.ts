import type { BlobStore } from '../blobs/blob-store.ts';
import { type Db, unsynced } from '../db/database.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { PackedEvidence } from '../scanner/packed-evidence.ts';
import { VerdictError } from './errors.ts';
import type { LayerAnalyser } from './ports.ts';

export interface LayerAnalysesDeps {
  readonly db: Db;
  readonly blobs: Pick<BlobStore, 'open' | 'localPath'>;
  readonly clock: Clock;
  readonly analyser: LayerAnalyser;
}

/** Evidence of layers, each read once per analyser version. */
export interface LayerAnalyses {
  /**
   * The evidence of a stored blob: kept, being made right now, or made now. Throws `VerdictError` layer_absent, layer_unreadable.
   */
  evidenceOf(blob: { readonly digest: Digest; readonly size: number }): Promise<PackedEvidence>;
}

export function createLayerAnalyses(deps: LayerAnalysesDeps): LayerAnalyses {
  const underWay = new Map<Digest, Promise<PackedEvidence>>();
  return {
    evidenceOf(blob) {
      const running = underWay.get(blob.digest);
      if (running) return running;
      const started = findOrMake(deps, blob).finally(() => underWay.delete(blob.digest));
      underWay.set(blob.digest, started);
      return started;
    },
  };
}

async function findOrMake(
  deps: LayerAnalysesDeps,
  blob: { readonly digest: Digest; readonly size: number },
): Promise<PackedEvidence> {
  const kept = await deps.db
    .selectFrom('layer_analyses')
    .select(['evidence', 'complete'])
    .where('blob_digest', '=', blob.digest)
    .where('analyser', '=', deps.analyser.version)
    .executeTakeFirst();
  if (kept) return { complete: kept.complete === 1, bytes: kept.evidence };
  // Only the row makes a blob visible; its file may be half there.
  const stored = await deps.db
    .selectFrom('blobs')
    .select('digest')
    .where('digest', '=', blob.digest)
    .executeTakeFirst();
  if (!stored) throw new VerdictError('layer_absent', `layer ${blob.digest} is not stored here yet`);
  const evidence = await analyse(deps, blob);
  await unsynced(deps.db)
    .insertInto('layer_analyses')
    .values({
      blob_digest: blob.digest,
      analyser: deps.analyser.version,
      evidence: evidence.bytes,
      complete: evidence.complete ? 1 : 0,
      created_at: deps.clock.now(),
    })
    .onConflict((conflict) => conflict.columns(['blob_digest', 'analyser']).doNothing())
    .execute();
  return evidence;
}

async function analyse(
  { blobs, analyser }: LayerAnalysesDeps,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Promise<PackedEvidence> {
  const path = blobs.localPath?.(digest);
  try {
    return await analyser.analyse({
      digest,
      size,
      async open() {
        const content = await blobs.open(digest);
        if (!content) throw new VerdictError('layer_unreadable', `layer ${digest} is not stored here`);
        return content;
      },
      ...(path === undefined ? {} : { path }),
    });
  } catch (error) {
    if (error instanceof VerdictError) throw error;
    throw new VerdictError('layer_unreadable', `layer ${digest} could not be analysed: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
