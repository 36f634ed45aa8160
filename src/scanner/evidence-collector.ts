import type { CoverageGap } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { CATALOGERS, catalogerFor, sniffersFor } from './catalogers/index.ts';
import { type Cataloger, SNIFFED_BYTES } from './catalogers/types.ts';
import { ScanError } from './errors.ts';
import { viewOf } from './file-view.ts';
import { createEntryWriter } from './layers/entries.ts';
import {
  ANALYSER_VERSION,
  type AnalysisLimits,
  type FileEvidence,
  type LayerEntry,
  type LayerEvidence,
} from './model.ts';

/** The content of a file at hand. */
export interface FileContent {
  readonly size: number;
  /** The next bytes, at most `limit`, fewer only at the end. Valid until the next call. */
  read(limit: number): Promise<Buffer>;
}

/** Gathers what a layer or a folder says while it is read, and keeps the limits. */
export interface EvidenceCollector {
  /** A folder, a link, or a file whose content nobody can have. Throws `ScanError('limit_exceeded')`, as `addFile` does. */
  add(entry: LayerEntry): void;
  /** A hard link: the file it names, as far as that is known. */
  addHardLink(path: string, target: string): void;
  addFile(path: string, content: FileContent): Promise<void>;
  addUnread(path: string, unread: NonNullable<FileEvidence['unread']>): void;
  remove(path: string): void;
  hide(path: string): void;
  gap(gap: Omit<CoverageGap, 'layer'>): void;
  evidence(complete: boolean): LayerEvidence;
}

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

  async function addWanted(path: string, content: FileContent, cataloger: Cataloger): Promise<void> {
    const largest = Math.min(cataloger.largest, limits.fileBytes);
    if (content.size > largest || catalogedBytes + content.size > limits.catalogedBytes) {
      const message = `${path} has ${content.size} bytes, more than is read`;
      addEvidence(path, { cataloger: cataloger.name, unread: { kind: 'limit', message } });
      return;
    }
    catalogedBytes += content.size;
    const found = cataloger.catalog(path, viewOf(await content.read(content.size)));
    addEvidence(path, { cataloger: cataloger.name, ...found });
  }

  /** Gives false when nobody wants the file by its first bytes, or nothing is in it. */
  async function addSniffed(path: string, content: FileContent): Promise<boolean> {
    linkable.delete(path);
    const sniffers = sniffersFor(path);
    const keeper = CATALOGERS.find(({ linked }) => linked?.wants(path));
    if (content.size === 0 || (sniffers.length === 0 && !keeper)) return false;
    const head = Buffer.from(await content.read(Math.min(SNIFFED_BYTES, content.size)));
    const cataloger = sniffers.find(({ sniff }) => sniff?.wants(head));
    if (cataloger) return addBinary(path, content, head, cataloger);
    if (keeper) await keepLinkable(path, content, head, keeper);
    return false;
  }

  async function addBinary(path: string, content: FileContent, head: Buffer, cataloger: Cataloger): Promise<boolean> {
    if (content.size > Math.min(cataloger.largest, limits.fileBytes)) {
      const message = `${path} has ${content.size} bytes, more than is read`;
      addEvidence(path, { cataloger: cataloger.name, unread: { kind: 'limit', message } });
      return true;
    }
    const rest = await content.read(content.size - head.length);
    const found = cataloger.catalog(path, viewOf(Buffer.concat([head, rest])));
    if ((found.packages ?? []).length + (found.problems ?? []).length === 0) return false;
    addEvidence(path, { cataloger: cataloger.name, ...found });
    return true;
  }

  /** Reads a file when a hard link could make a package of it. */
  async function keepLinkable(path: string, content: FileContent, head: Buffer, keeper: Cataloger): Promise<void> {
    if (content.size > LARGEST_LINKED || linkable.size >= MOST_LINKED) return;
    if (catalogedBytes + content.size > limits.catalogedBytes || head[0] !== keeper.linked?.firstByte) return;
    catalogedBytes += content.size;
    const found = keeper.catalog(path, viewOf(Buffer.concat([head, await content.read(content.size - head.length)])));
    if ((found.packages ?? []).length > 0) linkable.set(path, { cataloger: keeper.name, ...found });
  }

  return {
    add,
    addHardLink(path, target) {
      const evidence = linkable.get(target);
      if (evidence && catalogerFor(path)?.name === evidence.cataloger) addEvidence(path, evidence);
      else add(['h', path, target]);
    },
    async addFile(path, content) {
      const cataloger = catalogerFor(path);
      if (cataloger) return addWanted(path, content, cataloger);
      if (await addSniffed(path, content)) return;
      add(['f', path]);
    },
    addUnread(path, unread) {
      const cataloger = catalogerFor(path);
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
