import type { CoverageGap } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { messageOf } from '../platform/errors.ts';
import type { ByteSource } from '../platform/streams.ts';
import { CATALOGERS } from './catalogers/index.ts';
import { createByteReader } from './layers/byte-reader.ts';
import { decompressed } from './layers/compression.ts';
import { normalisePath, whiteoutOf } from './layers/paths.ts';
import { readTar, type TarEntry } from './layers/tar-reader.ts';
import {
  ANALYSER_VERSION,
  type AnalysisLimits,
  DEFAULT_LIMITS,
  type FileEvidence,
  type LayerEntry,
  type LayerEvidence,
} from './model.ts';

export interface AnalyseOptions {
  readonly digest?: Digest;
  readonly limits?: AnalysisLimits;
}

const MOST_GAPS = 200;

/** Collects what a layer says while it is read. */
interface Findings {
  readonly entries: LayerEntry[];
  readonly files: FileEvidence[];
  readonly removed: string[];
  readonly opaque: string[];
  readonly gaps: CoverageGap[];
  catalogedBytes: number;
}

/**
 * Reads one layer once, from its first byte to its last, and keeps what composing an image needs. Never throws for what is
 * in the layer: damage and limits become gaps, and `complete` is false when the end was not reached. Errors of the source
 * itself (the bytes could not be had) are thrown.
 */
export async function analyseLayer(source: ByteSource, options: AnalyseOptions = {}): Promise<LayerEvidence> {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const layer = options.digest === undefined ? {} : { layer: options.digest };
  const found: Findings = { entries: [], files: [], removed: [], opaque: [], gaps: [], catalogedBytes: 0 };
  const watched = watchSource(source);
  const reader = createByteReader(decompressed(watched.source));
  let complete = true;
  try {
    for await (const entry of readTar(reader)) {
      if (found.entries.length >= limits.entries || reader.position > limits.uncompressedBytes) {
        found.gaps.push({
          kind: 'limit',
          ...layer,
          message: `the layer is too large: reading stopped after ${found.entries.length} entries and ${reader.position} bytes`,
        });
        complete = false;
        break;
      }
      await take(found, entry, limits, layer);
    }
  } catch (error) {
    if (watched.failure) throw watched.failure.error;
    complete = false;
    found.gaps.push({
      kind: 'truncated',
      ...layer,
      message: `the layer could not be read to its end: ${messageOf(error)}`,
    });
  } finally {
    await reader.close();
  }
  const { catalogedBytes: _, gaps, ...evidence } = found;
  return { analyser: ANALYSER_VERSION, ...evidence, gaps: gaps.slice(0, MOST_GAPS), complete };
}

/** Tells trouble with getting the bytes from trouble with what they are. */
function watchSource(source: ByteSource): {
  readonly source: ByteSource;
  readonly failure: { readonly error: unknown } | undefined;
} {
  let failure: { error: unknown } | undefined;
  async function* watched(): ByteSource {
    try {
      yield* source;
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  return {
    source: watched(),
    get failure() {
      return failure;
    },
  };
}

async function take(
  found: Findings,
  entry: TarEntry,
  limits: AnalysisLimits,
  layer: { readonly layer?: Digest },
): Promise<void> {
  const path = normalisePath(entry.name);
  if (path === undefined || path === '') return;
  const whiteout = whiteoutOf(path);
  if (whiteout) {
    if (whiteout.kind === 'remove') found.removed.push(whiteout.path);
    else if (whiteout.kind === 'opaque') found.opaque.push(whiteout.path);
    return;
  }
  switch (entry.kind) {
    case 'directory':
      found.entries.push(['d', path]);
      return;
    case 'symlink':
      found.entries.push(['l', path, entry.linkName]);
      return;
    case 'hardlink':
      found.entries.push(['h', path, normalisePath(entry.linkName) ?? '']);
      return;
    case 'file': {
      const file = await catalogFile(found, path, entry, limits, layer);
      found.entries.push(file === undefined ? ['f', path] : ['e', path, file]);
      return;
    }
    case 'other':
      found.entries.push(['f', path]);
  }
}

/** Gives the number of the evidence; undefined for files nobody wants, and those too large to read. */
async function catalogFile(
  found: Findings,
  path: string,
  entry: TarEntry,
  limits: AnalysisLimits,
  layer: { readonly layer?: Digest },
): Promise<number | undefined> {
  const cataloger = CATALOGERS.find((candidate) => candidate.wants(path));
  if (!cataloger) return undefined;
  const largest = Math.min(cataloger.largest, limits.fileBytes);
  if (entry.size > largest || found.catalogedBytes + entry.size > limits.catalogedBytes) {
    found.gaps.push({ kind: 'limit', path, ...layer, message: `${path} has ${entry.size} bytes, more than is read` });
    return undefined;
  }
  found.catalogedBytes += entry.size;
  const content = await entry.read(largest);
  const evidence: FileEvidence = { cataloger: cataloger.name, ...cataloger.catalog(path, content) };
  return found.files.push(evidence) - 1;
}
