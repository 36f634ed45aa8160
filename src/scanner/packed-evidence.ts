import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import type { LayerEvidence } from './model.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };
/** Largest evidence of one layer, unpacked. What we wrote ourselves is far below. */
const MOST_UNPACKED = 512 * 1024 * 1024;

/** The evidence of a layer as it is kept: only a worker unpacks it, because what was in the layer decides how much it is. */
export interface PackedEvidence {
  /** As `LayerEvidence` says. */
  readonly complete: boolean;
  readonly bytes: Uint8Array;
}

export async function packEvidence(evidence: LayerEvidence): Promise<PackedEvidence> {
  return { complete: evidence.complete, bytes: await compress(JSON.stringify(evidence), COMPRESSION) };
}

export async function unpackEvidence({ bytes }: Pick<PackedEvidence, 'bytes'>): Promise<LayerEvidence> {
  const json = await decompress(bytes, { maxOutputLength: MOST_UNPACKED });
  return JSON.parse(json.toString('utf8')) as LayerEvidence;
}
