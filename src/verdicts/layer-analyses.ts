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
  evidenceOf(blob: StoredLayer): Promise<PackedEvidence>;
  /**
   * Reads a blob once more and keeps what that gives, unless it was read after `since` (epoch ms); with `unlessComplete` also unless all of
   * it was read before. Throws as `evidenceOf`; what was kept stays then.
   */
  renew(blob: StoredLayer, again: Again): Promise<void>;
}

interface StoredLayer {
  readonly digest: Digest;
  readonly size: number;
}

/** Which layers are read again though they were read before. */
export interface Again {
  /** Epoch ms: what was read later is as wished. */
  readonly since: number;
  readonly unlessComplete: boolean;
}

export function createLayerAnalyses(deps: LayerAnalysesDeps): LayerAnalyses {
  const underWay = new Map<Digest, Promise<PackedEvidence>>();
  const kept = new Map<Digest, PackedEvidence>();
  let size = 0;

  function keep(digest: Digest, made: PackedEvidence): void {
    // Of what is not complete another replica may come to know more.
    if (made.bytes.byteLength > KEPT || !made.complete) return;
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
    async renew(blob, { since, unlessComplete }) {
      const { digest } = blob;
      const [row] = (await selectEvidence(deps.db, { digest, analyser: deps.analyser.version })).rows;
      if (row && (row.created_at > since || (unlessComplete && row.complete === 1))) return;
      keep(digest, await makeNow(deps, blob));
    },
  };
}

async function findOrMake(
  deps: LayerAnalysesDeps,
  blob: StoredLayer,
  keep: (digest: Digest, made: PackedEvidence) => void,
): Promise<PackedEvidence> {
  const { digest } = blob;
  const [kept] = (await selectEvidence(deps.db, { digest, analyser: deps.analyser.version })).rows;
  if (kept) return { complete: kept.complete === 1, bytes: kept.evidence };
  const evidence = await makeNow(deps, blob);
  keep(digest, evidence);
  return evidence;
}

async function makeNow(deps: LayerAnalysesDeps, blob: StoredLayer): Promise<PackedEvidence> {
  const { digest } = blob;
  // Only the row makes a blob visible; its file may be half there.
  const stored = await selectBlob(deps.db, { digest });
  if (stored.rows.length === 0) throw new VerdictError('layer_absent', `layer ${digest} is not stored here yet`);
  const evidence = await analyse(deps, blob);
  await upsertEvidence(unsynced(deps.db), {
    blob_digest: digest,
    analyser: deps.analyser.version,
    evidence: evidence.bytes,
    complete: evidence.complete ? 1 : 0,
    created_at: deps.clock.now(),
  });
  return evidence;
}

const selectEvidence = statement((db, { digest, analyser }: { readonly digest: Digest; readonly analyser: string }) =>
  db
    .selectFrom('layer_analyses')
    .select(['evidence', 'complete', 'created_at'])
    .where('blob_digest', '=', digest)
    .where('analyser', '=', analyser),
);

const selectBlob = statement((db, { digest }: { readonly digest: Digest }) =>
  db.selectFrom('blobs').select('digest').where('digest', '=', digest),
);

const upsertEvidence = statement(
  (db, { blob_digest, analyser, evidence, complete, created_at }: NewRow<'layer_analyses'>) =>
    db
      .insertInto('layer_analyses')
      .values({ blob_digest, analyser, evidence, complete, created_at })
      .onConflict((conflict) =>
        conflict.columns(['blob_digest', 'analyser']).doUpdateSet({ evidence, complete, created_at }),
      ),
);

async function analyse({ blobs, analyser }: LayerAnalysesDeps, { digest, size }: StoredLayer): Promise<PackedEvidence> {
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
