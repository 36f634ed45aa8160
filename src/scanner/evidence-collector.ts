import type { CoverageGap } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { messageOf } from '../platform/errors.ts';
import { CATALOGERS, catalogerFor, sniffersFor } from './catalogers/index.ts';
import { type Cataloger, SNIFFED_BYTES } from './catalogers/types.ts';
import { ScanError } from './errors.ts';
import type { FileView } from './file-view.ts';
import { createEntryWriter } from './layers/entries.ts';
import {
  ANALYSER_VERSION,
  type AnalysisLimits,
  type FileEvidence,
  type LayerEntry,
  type LayerEvidence,
} from './model.ts';

/** The content of a file at hand: its first bytes once, then all of it once. */
export interface FileContent {
  readonly size: number;
  /** At most `length` bytes from its begin, fewer only when it has no more. */
  head(length: number): Buffer | Promise<Buffer>;
  /** Good until the next file is added. */
  view(): FileView | Promise<FileView>;
}

/** Gathers what a layer or a folder says while it is read, and keeps the limits. */
export interface EvidenceCollector {
  /** A folder, a link, or a file whose content nobody can have. Throws `ScanError('limit_exceeded')`, as `addFile` does. */
  add(entry: LayerEntry): void;
  /** A hard link: the file it names, as far as that is known. */
  addHardLink(path: string, target: string): void;
  /** Waits only for content that is not at hand. */
  addFile(path: string, content: FileContent): void | Promise<void>;
  addUnread(path: string, unread: NonNullable<FileEvidence['unread']>): void;
  remove(path: string): void;
  hide(path: string): void;
  gap(gap: Omit<CoverageGap, 'layer'>): void;
  evidence(complete: boolean): LayerEvidence;
}

const KEEPERS = CATALOGERS.filter(({ linked }) => linked !== undefined);
const MOST_GAPS = 200;
/** Content that waits for a hard link to it. */
const LARGEST_LINKED = 1024 * 1024;
const MOST_LINKED = 200_000;

export function createEvidenceCollector(limits: AnalysisLimits, digest: Digest | undefined): EvidenceCollector {
  const entries = createEntryWriter();
  const files: FileEvidence[] = [];
  const removed: string[] = [];
  const opaque: string[] = [];
  const gaps: CoverageGap[] = [];
  const linkable = new Map<string, FileEvidence>();
  let catalogedBytes = 0;
  let length = 0;

  function count(text: string): void {
    length += text.length;
    if (length > limits.evidenceLength)
      throw new ScanError('limit_exceeded', `its names and texts are longer than ${limits.evidenceLength} characters`);
  }

  function add(entry: LayerEntry): void {
    if (entries.count >= limits.entries)
      throw new ScanError('limit_exceeded', `it has more than ${limits.entries} entries`);
    count(entry[1]);
    if (entry[0] === 'l') count(entry[2]);
    entries.add(entry);
  }

  function addEvidence(path: string, evidence: FileEvidence): void {
    count(evidence.text ?? '');
    add(['e', path, files.push(evidence) - 1]);
  }

  /** Why a file is not read, if it is too much. */
  function tooMuch(path: string, size: number, cataloger: Cataloger): string | undefined {
    if (size > cataloger.largest)
      return `${path} has ${size} bytes; of a file of its kind at most ${cataloger.largest} are read`;
    if (size > limits.fileBytes) return `${path} has ${size} bytes; of one file at most ${limits.fileBytes} are read`;
    if (catalogedBytes + size > limits.catalogedBytes)
      return `${path} is not read: with its ${size} bytes the files to look into have more than ${limits.catalogedBytes} in all`;
    return undefined;
  }

  /** Hands the evidence on, at once when the content is at hand. */
  function catalog(
    path: string,
    content: FileContent,
    cataloger: Cataloger,
    use: (evidence: FileEvidence) => void,
  ): void | Promise<void> {
    const message = tooMuch(path, content.size, cataloger);
    if (message !== undefined) return use({ cataloger: cataloger.name, unread: { kind: 'limit', message } });
    catalogedBytes += content.size;
    const finish = (file: FileView): void => use({ cataloger: cataloger.name, ...understood(path, file, cataloger) });
    const view = content.view();
    return view instanceof Promise ? view.then(finish) : finish(view);
  }

  /** For files that nobody wants by name: their first bytes, or a later hard link, may say more. */
  function addUnnamed(path: string, content: FileContent): void | Promise<void> {
    if (linkable.size > 0) linkable.delete(path);
    const sniffers = sniffersFor(path);
    const keeper = KEEPERS.find(({ linked }) => linked?.wants(path));
    if (content.size === 0 || (sniffers.length === 0 && !keeper)) return add(['f', path]);
    const head = content.head(SNIFFED_BYTES);
    return head instanceof Promise
      ? head.then((bytes) => addByHead(path, content, bytes, sniffers, keeper))
      : addByHead(path, content, head, sniffers, keeper);
  }

  function addByHead(
    path: string,
    content: FileContent,
    head: Buffer,
    sniffers: readonly Cataloger[],
    keeper: Cataloger | undefined,
  ): void | Promise<void> {
    const cataloger = sniffers.find(({ sniff }) => sniff?.wants(head));
    if (cataloger)
      return catalog(path, content, cataloger, (evidence) => {
        if (saysNothing(evidence)) add(['f', path]);
        else addEvidence(path, evidence);
      });
    add(['f', path]);
    if (!keeper || keeper.linked?.firstByte !== head[0] || linkable.size >= MOST_LINKED) return;
    if (content.size > LARGEST_LINKED || tooMuch(path, content.size, keeper) !== undefined) return;
    return catalog(path, content, keeper, (evidence) => {
      if ((evidence.packages ?? []).length > 0) linkable.set(path, evidence);
    });
  }

  return {
    add,
    addHardLink(path, target) {
      const evidence = linkable.get(target);
      if (evidence && catalogerFor(path)?.name === evidence.cataloger) addEvidence(path, evidence);
      else add(['h', path, target]);
    },
    addFile(path, content) {
      const cataloger = catalogerFor(path);
      if (!cataloger) return addUnnamed(path, content);
      return catalog(path, content, cataloger, (evidence) => addEvidence(path, evidence));
    },
    addUnread(path, unread) {
      const cataloger = catalogerFor(path) ?? sniffersFor(path)[0];
      if (cataloger) addEvidence(path, { cataloger: cataloger.name, unread });
      else add(['f', path]);
    },
    remove(path) {
      count(path);
      removed.push(path);
    },
    hide(path) {
      count(path);
      opaque.push(path);
    },
    gap(gap) {
      if (gaps.length < MOST_GAPS) gaps.push({ ...gap, ...(digest ? { layer: digest } : {}) });
    },
    evidence: (complete) => ({
      analyser: ANALYSER_VERSION,
      entries: entries.text(),
      files,
      removed,
      opaque,
      gaps,
      complete,
    }),
  };
}

/** Catalogers do not throw. Should one do, or the disk, that costs this one file. */
function understood(path: string, file: FileView, cataloger: Cataloger): Omit<FileEvidence, 'cataloger'> {
  try {
    return cataloger.catalog(path, file);
  } catch (error) {
    return { unread: { kind: 'unreadable-file', message: `${path} could not be understood: ${messageOf(error)}` } };
  }
}

function saysNothing({ packages = [], problems = [], unread }: FileEvidence): boolean {
  return packages.length + problems.length === 0 && unread === undefined;
}
