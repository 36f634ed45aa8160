import type { CoverageGap } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { messageOf } from '../platform/errors.ts';
import type { ByteSource } from '../platform/streams.ts';
import { ScanError } from './errors.ts';
import { createEvidenceCollector, type EvidenceCollector, type FileContent } from './evidence-collector.ts';
import { viewOf } from './file-view.ts';
import { createByteReader } from './layers/byte-reader.ts';
import { decompressed } from './layers/compression.ts';
import { normalisePath, whiteoutOf } from './layers/paths.ts';
import { anotherTarFollows, readTar, type TarEntry } from './layers/tar-reader.ts';
import { type AnalysisLimits, DEFAULT_LIMITS, type LayerEvidence } from './model.ts';
import { createSpool, type Spool } from './spool.ts';

export interface AnalyseOptions {
  readonly digest?: Digest;
  readonly limits?: AnalysisLimits;
}

/**
 * Reads one layer once, from its first byte to its last, and keeps what composing an image needs. Never throws for what is
 * in the layer: damage and limits become gaps, and `complete` is false when the end was not reached. Errors of the source
 * itself (the bytes could not be had) are thrown.
 */
export async function analyseLayer(source: ByteSource, options: AnalyseOptions = {}): Promise<LayerEvidence> {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const found = createEvidenceCollector(limits, options.digest);
  const watched = watchSource(source);
  const reader = createByteReader(decompressed(watched.source, limits.uncompressedBytes));
  const spool = createSpool();
  let impossible = 0;
  let complete = true;
  try {
    for await (const entry of readTar(reader)) if (!(await take(found, entry, spool))) impossible += 1;
    if (await anotherTarFollows(reader)) {
      const message = 'after its end the archive goes on with another one, which container runtimes do not unpack';
      found.gap({ kind: 'malformed-entry', message });
    }
  } catch (error) {
    if (watched.failure) throw watched.failure.error;
    complete = false;
    found.gap({ kind: gapKind(error), message: `the layer could not be read to its end: ${messageOf(error)}` });
  } finally {
    spool.close();
    await reader.close();
  }
  if (impossible > 0)
    found.gap({ kind: 'malformed-entry', message: `${impossible} entries have names that no file can have` });
  return found.evidence(complete);
}

function gapKind(error: unknown): CoverageGap['kind'] {
  if (!(error instanceof ScanError)) return 'truncated';
  if (error.code === 'limit_exceeded') return 'limit';
  return error.code === 'layer_unsupported' ? 'unsupported-layer' : 'truncated';
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

/** Files above this are not held in memory. */
const LARGEST_HELD = 4 * 1024 * 1024;

function contentOf(entry: TarEntry, spool: Spool): FileContent {
  const { size } = entry;
  let start: Buffer = Buffer.alloc(0);
  return {
    size,
    async head(length) {
      start = Buffer.from(await entry.read(Math.min(length, size)));
      return start;
    },
    async view() {
      if (size <= LARGEST_HELD) {
        const rest = await entry.read(size - start.length);
        return viewOf(start.length === 0 ? rest : Buffer.concat([start, rest]));
      }
      let given = false;
      return spool.take(size, (limit) => {
        if (given || start.length === 0) return entry.read(limit);
        given = true;
        return start;
      });
    },
  };
}

/** Gives false for an entry that no runtime could unpack. */
async function take(found: EvidenceCollector, entry: TarEntry, spool: Spool): Promise<boolean> {
  const path = normalisePath(entry.name);
  if (path === undefined) return false;
  if (path === '') return true;
  const whiteout = whiteoutOf(path);
  if (whiteout) {
    if (whiteout.kind === 'remove') found.remove(whiteout.path);
    else if (whiteout.kind === 'opaque') found.hide(whiteout.path);
    return true;
  }
  switch (entry.kind) {
    case 'directory':
      found.add(['d', path]);
      return true;
    case 'symlink':
      if (entry.linkName.length > 4096 || entry.linkName.includes('\0')) return false;
      found.add(['l', path, entry.linkName]);
      return true;
    case 'hardlink': {
      const target = normalisePath(entry.linkName);
      if (target === undefined) return false;
      found.addHardLink(path, target);
      return true;
    }
    case 'file':
      if (entry.sparse) {
        const message = `${path} is stored as a sparse file, which is not read`;
        found.addUnread(path, { kind: 'unreadable-file', message });
      } else await found.addFile(path, contentOf(entry, spool));
      return true;
    case 'other':
      found.add(['f', path]);
      return true;
  }
}
