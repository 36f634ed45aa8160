import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { BlobStore } from '../blobs/blob-store.ts';
import { type Db, unsynced } from '../db/database.ts';
import type { NewRow } from '../db/schema.ts';
import { statement } from '../db/statement.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { VerdictError } from './errors.ts';
import type { LayerAnalyser } from './ports.ts';

const compressElsewhere = promisify(zstdCompress);
const decompressElsewhere = promisify(zstdDecompress);
/** Largest evidence of one layer, unpacked. What we wrote ourselves is far below. */
const EVIDENCE_LIMIT = 512 * 1024 * 1024;
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };
/** Bytes that are packed or unpacked sooner than another thread is woken for them. */
const PACKED_HERE = 64 * 1024;
const UNPACKED_HERE = 8 * 1024;
/** Characters of evidence kept in memory: the manifest of a layer comes right after it. */
const KEPT = 4 * 1024 * 1024;

export interface LayerAnalysesDeps<Evidence> {
  readonly db: Db;
  readonly blobs: Pick<BlobStore, 'open' | 'localPath'>;
  readonly clock: Clock;
  readonly analyser: LayerAnalyser<Evidence>;
}

/** Evidence of layers, each read once per analyser version. */
export interface LayerAnalyses<Evidence> {
  /**
   * The evidence of a stored blob: kept, being made right now, or made now. Throws `VerdictError` layer_absent, layer_unreadable.
   */
  evidenceOf(blob: { readonly digest: Digest; readonly size: number }): Promise<Evidence>;
}

export function createLayerAnalyses<Evidence>(deps: LayerAnalysesDeps<Evidence>): LayerAnalyses<Evidence> {
  const underWay = new Map<Digest, Promise<Evidence>>();
  const kept = new Map<Digest, Kept<Evidence>>();
  let weight = 0;

  function keep(digest: Digest, made: Kept<Evidence>): void {
    if (made.weight > KEPT) return;
    weight += made.weight - (kept.get(digest)?.weight ?? 0);
    kept.set(digest, made);
    for (const [oldest, other] of kept) {
      if (weight <= KEPT) return;
      kept.delete(oldest);
      weight -= other.weight;
    }
  }

  return {
    evidenceOf(blob) {
      const made = kept.get(blob.digest);
      if (made) return Promise.resolve(made.evidence);
      const running = underWay.get(blob.digest);
      if (running) return running;
      const started = findOrMake(deps, blob, keep).finally(() => underWay.delete(blob.digest));
      underWay.set(blob.digest, started);
      return started;
    },
  };
}

interface Kept<Evidence> {
  readonly evidence: Evidence;
  readonly weight: number;
}

async function findOrMake<Evidence>(
  deps: LayerAnalysesDeps<Evidence>,
  blob: { readonly digest: Digest; readonly size: number },
  keep: (digest: Digest, made: Kept<Evidence>) => void,
): Promise<Evidence> {
  const { digest } = blob;
  const [kept] = (await selectEvidence(deps.db, { digest, analyser: deps.analyser.version })).rows;
  if (kept) return unpack(kept.evidence);
  // Only the row makes a blob visible; its file may be half there.
  const stored = await selectBlob(deps.db, { digest });
  if (stored.rows.length === 0) throw new VerdictError('layer_absent', `layer ${blob.digest} is not stored here yet`);
  const evidence = await analyse(deps, blob);
  const json = JSON.stringify(evidence);
  await insertEvidence(unsynced(deps.db), {
    blob_digest: digest,
    analyser: deps.analyser.version,
    evidence: await pack(json),
    complete: deps.analyser.isComplete(evidence) ? 1 : 0,
    created_at: deps.clock.now(),
  });
  keep(digest, { evidence, weight: json.length });
  return evidence;
}

const selectEvidence = statement((db, { digest, analyser }: { readonly digest: Digest; readonly analyser: string }) =>
  db.selectFrom('layer_analyses').select('evidence').where('blob_digest', '=', digest).where('analyser', '=', analyser),
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

async function analyse<Evidence>(
  { blobs, analyser }: LayerAnalysesDeps<Evidence>,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Promise<Evidence> {
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

async function pack(json: string): Promise<Uint8Array> {
  if (json.length <= PACKED_HERE) return zstdCompressSync(json, COMPRESSION);
  // Without the size it makes tables for the largest there may be, which take longer to clear than the packing.
  return compressElsewhere(json, { ...COMPRESSION, pledgedSrcSize: Buffer.byteLength(json) });
}

async function unpack<Evidence>(bytes: Uint8Array): Promise<Evidence> {
  const limit = { maxOutputLength: EVIDENCE_LIMIT };
  const json =
    bytes.byteLength <= UNPACKED_HERE ? zstdDecompressSync(bytes, limit) : await decompressElsewhere(bytes, limit);
  return JSON.parse(json.toString('utf8')) as Evidence;
}
