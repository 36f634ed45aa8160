import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { LayerEvidence } from './model.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };
/** Largest evidence of one layer, unpacked. What we wrote ourselves is far below. */
const MOST_UNPACKED = 512 * 1024 * 1024;
/** Bytes that are packed or unpacked sooner than another thread is woken for them. */
const PACKED_AT_ONCE = 64 * 1024;
const UNPACKED_AT_ONCE = 8 * 1024;

/** The evidence of a layer as it is kept: what was in the layer decides how much it is unpacked. */
export interface PackedEvidence {
  /** As `LayerEvidence` says. */
  readonly complete: boolean;
  readonly bytes: Uint8Array;
}

export async function packEvidence(evidence: LayerEvidence): Promise<PackedEvidence> {
  return { complete: evidence.complete, bytes: await pack(JSON.stringify(evidence)) };
}

async function pack(json: string): Promise<Uint8Array> {
  if (json.length <= PACKED_AT_ONCE) return zstdCompressSync(json, COMPRESSION);
  // Without the size it makes tables for the largest there may be, which take longer to clear than the packing.
  return compress(json, { ...COMPRESSION, pledgedSrcSize: Buffer.byteLength(json) });
}

export async function unpackEvidence(packed: Pick<PackedEvidence, 'bytes'>): Promise<LayerEvidence> {
  return (await unpackWithin(packed, MOST_UNPACKED)).evidence;
}

/** Evidence, and how many bytes it has unpacked. Fails with a `RangeError` when these are more than `most`. */
export async function unpackWithin(
  { bytes }: Pick<PackedEvidence, 'bytes'>,
  most: number,
): Promise<{ readonly evidence: LayerEvidence; readonly size: number }> {
  const limit = { maxOutputLength: most };
  const json = bytes.byteLength <= UNPACKED_AT_ONCE ? zstdDecompressSync(bytes, limit) : await decompress(bytes, limit);
  return { evidence: JSON.parse(json.toString('utf8')) as LayerEvidence, size: json.byteLength };
}
