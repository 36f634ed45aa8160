import { BlobError, busyError, checkUploadId } from '../../blob-store.ts';
import type { Bucket } from './bucket.ts';
import type { Keys } from './keys.ts';
import { loadProgress, type Progress } from './progress.ts';
import { readRecord } from './record.ts';

/** Uploads whose running hash is kept; the content of one that is pushed out is read again when it is finished. */
const REMEMBERED = 4096;
/** After these an upload stands where we know it does; after other failures only the store knows. */
const HARMLESS: ReadonlySet<BlobError['code']> = new Set(['digest_mismatch', 'upload_offset', 'upload_interrupted']);

/** What this process knows of uploads, which other processes may go on with at any time. */
export interface Uploads {
  /** Keeps other work of this process away from the upload. Throws `upload_busy`. */
  exclusively<Result>(id: string, work: () => Promise<Result>): Promise<Result>;
  isBusy(id: string): boolean;
  /** Where it stands: what is known here when this process works on it or nobody else has since, else what the store says. */
  current(id: string): Promise<Progress>;
  /** What is known here when it suits, without asking the store; else as `current`. */
  recall(id: string, suits: (progress: Progress) => boolean): Promise<Progress>;
  forget(id: string): void;
}

export function createUploads(deps: { readonly bucket: Bucket; readonly keys: Keys }): Uploads {
  const remembered = new Map<string, Progress>();
  const busy = new Set<string>();

  async function isBehind(id: string, { record }: Progress): Promise<boolean> {
    const stored = await readRecord(deps, id);
    return (stored?.revision ?? '') !== record.revision;
  }

  async function load(id: string): Promise<Progress> {
    const progress = await loadProgress(deps, id);
    remembered.delete(id);
    remembered.set(id, progress);
    for (const other of remembered.keys()) {
      if (remembered.size <= REMEMBERED) break;
      if (!busy.has(other)) remembered.delete(other);
    }
    return progress;
  }

  async function refreshed(id: string): Promise<Progress> {
    const known = remembered.get(id);
    return known && !(await isBehind(id, known)) ? known : load(id);
  }

  return {
    async exclusively(id, work) {
      checkUploadId(id);
      if (busy.has(id)) throw busyError();
      busy.add(id);
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof BlobError) || !HARMLESS.has(error.code)) remembered.delete(id);
        throw error;
      } finally {
        busy.delete(id);
      }
    },
    isBusy: (id) => busy.has(id),
    async current(id) {
      const known = remembered.get(id);
      return known && busy.has(id) ? known : refreshed(id);
    },
    async recall(id, suits) {
      const known = remembered.get(id);
      return known && suits(known) ? known : refreshed(id);
    },
    forget: (id) => void remembered.delete(id),
  };
}
