import type { BlobStore } from '../blobs/blob-store.ts';
import { type Db, unsynced } from '../db/database.ts';
import type { NewRow } from '../db/schema.ts';
import { statement } from '../db/statement.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { PackedEvidence } from '../scanner/packed-evidence.ts';
import { VerdictError } from './errors.ts';
import type { LayerAnalyser } from './ports.ts';

/** Bytes of packed evidence kept in memory: the manifest of a layer comes right after it. */
const KEPT = 1024 * 1024;

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
  const kept = new Map<Digest, PackedEvidence>();
  let size = 0;

  function keep(digest: Digest, made: PackedEvidence): void {
    if (made.bytes.byteLength > KEPT) return;
    size += made.bytes.byteLength - (kept.get(digest)?.bytes.byteLength ?? 0);
    kept.set(digest, made);
    for (const [oldest, { bytes }] of kept) {
      if (size <= KEPT) return;
      kept.delete(oldest);
      size -= bytes.byteLength;
    }
  }

  return {
    evidenceOf(blob) {
      const made = kept.get(blob.digest);
      if (made) return Promise.resolve(made);
      const running = underWay.get(blob.digest);
      if (running) return running;
      const started = findOrMake(deps, blob, keep).finally(() => underWay.delete(blob.digest));
      underWay.set(blob.digest, started);
      return started;
    },
  };
}

async function findOrMake(
  deps: LayerAnalysesDeps,
  blob: { readonly digest: Digest; readonly size: number },
  keep: (digest: Digest, made: PackedEvidence) => void,
): Promise<PackedEvidence> {
  const { digest } = blob;
  const [kept] = (await selectEvidence(deps.db, { digest, analyser: deps.analyser.version })).rows;
  if (kept) return { complete: kept.complete === 1, bytes: kept.evidence };
  // Only the row makes a blob visible; its file may be half there.
  const stored = await selectBlob(deps.db, { digest });
  if (stored.rows.length === 0) throw new VerdictError('layer_absent', `layer ${digest} is not stored here yet`);
  const evidence = await analyse(deps, blob);
  await insertEvidence(unsynced(deps.db), {
    blob_digest: digest,
    analyser: deps.analyser.version,
    evidence: evidence.bytes,
    complete: evidence.complete ? 1 : 0,
    created_at: deps.clock.now(),
  });
  keep(digest, evidence);
  return evidence;
}

const selectEvidence = statement((db, { digest, analyser }: { readonly digest: Digest; readonly analyser: string }) =>
  db
    .selectFrom('layer_analyses')
    .select(['evidence', 'complete'])
    .where('blob_digest', '=', digest)
    .where('analyser', '=', analyser),
);

const selectBlob = statement((db, { digest }: { readonly digest: Digest }) =>
  db.selectFrom('blobs').select('digest').where('digest', '=', digest),
);

const insertEvidence = statement(
  (db, { blob_digest, analyser, evidence, complete, created_at }: NewRow<'layer_analyses'>) =>
    db
      .insertInto('layer_analyses')
      .values({ blob_digest, analyser, evidence, complete, created_at })
      .onConflict((conflict) => conflict.columns(['blob_digest', 'analyser']).doNothing()),
);

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
    throw new VerdictError('layer_unreadable', `layer ${digest} could not be analysed now: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
