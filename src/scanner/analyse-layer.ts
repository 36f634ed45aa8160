import type { CoverageGap } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { messageOf } from '../platform/errors.ts';
import type { ByteSource } from '../platform/streams.ts';
import { ScanError } from './errors.ts';
import { createEvidenceCollector, type EvidenceCollector, type FileContent } from './evidence-collector.ts';
import { viewOf } from './file-view.ts';
import type { FilePart } from './image-source.ts';
import { openLayer } from './layers/open-layer.ts';
import { normalisePath, whiteoutOf } from './layers/paths.ts';
import { createTarReader, type TarEntry, whatFollows } from './layers/tar-reader.ts';
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
export async function analyseLayer(
  source: ByteSource | FilePart,
  options: AnalyseOptions = {},
): Promise<LayerEvidence> {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const found = createEvidenceCollector(limits, options.digest);
  const layer = openLayer(source, limits.uncompressedBytes);
  const spool = createSpool();
  let impossible = 0;
  let complete = true;
  try {
    const { reader } = layer;
    const tar = createTarReader(reader);
    for (;;) {
      const next = tar.next();
      const entry = next instanceof Promise ? await next : next;
      if (!entry) break;
      const taken = take(found, entry, spool);
      if (!(taken instanceof Promise ? await taken : taken)) impossible += 1;
    }
    const follows = await whatFollows(reader);
    if (follows !== 'nothing') {
      const what = follows === 'archive' ? 'another one' : 'bytes that are none';
      const message = `after its end the archive goes on with ${what}, which container runtimes do not unpack`;
      found.gap({ kind: 'malformed-entry', message });
    }
    if (layer.trailing)
      found.gap({
        kind: 'malformed-entry',
        message: 'behind the compressed archive come bytes that belong to nothing',
      });
  } catch (error) {
    if (layer.failure) throw layer.failure.error;
    complete = false;
    found.gap({ kind: gapKind(error), message: `the layer could not be read to its end: ${messageOf(error)}` });
  } finally {
    spool.close();
    await layer.close();
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

/** Gives false for an entry that no runtime could unpack. */
function take(found: EvidenceCollector, entry: TarEntry, spool: Spool): boolean | Promise<boolean> {
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
    case 'file': {
      if (entry.sparse) {
        const message = `${path} is stored as a sparse file, which is not read`;
        found.addUnread(path, { kind: 'unreadable-file', message });
        return true;
      }
      const added = found.addFile(path, contentOf(entry, spool));
      return added instanceof Promise ? added.then(() => true) : true;
    }
    case 'other':
      found.add(['f', path]);
      return true;
  }
}

/** Files above this are not held in memory. */
const LARGEST_HELD = 4 * 1024 * 1024;

/** Of files above this a cataloger may need a few parts only. Smaller ones are read with what lies around them. */
const SMALLEST_IN_PLACE = 64 * 1024;

function contentOf(entry: TarEntry, spool: Spool): FileContent {
  return {
    size: entry.size,
    head: (length) => entry.peek(length),
    view() {
      const inPlace = entry.size > SMALLEST_IN_PLACE ? entry.inPlace() : undefined;
      if (inPlace) return inPlace;
      if (entry.size > LARGEST_HELD) return spool.take(() => entry.piece());
      const bytes = entry.read(entry.size);
      return bytes instanceof Promise ? bytes.then(viewOf) : viewOf(bytes);
    },
  };
}
