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
  /** What is known here when that stands at `offset`: nobody else can have gone on then. Else as `current`. */
  standingAt(id: string, offset: number): Promise<Progress>;
  /** Does `work` with what is known here, and once more with what the store says when it found a mismatch for being behind. */
  trying<Result>(
    id: string,
    work: (progress: Progress) => Promise<Result>,
  ): Promise<{ readonly progress: Progress; readonly result: Result }>;
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
    async standingAt(id, offset) {
      const known = remembered.get(id);
      return known?.size === offset ? known : refreshed(id);
    },
    async trying(id, work) {
      const known = remembered.get(id);
      if (known) {
        try {
          return { progress: known, result: await work(known) };
        } catch (error) {
          if (!(error instanceof BlobError) || error.code !== 'digest_mismatch') throw error;
          if (!(await isBehind(id, known))) throw error;
        }
      }
      const progress = await load(id);
      return { progress, result: await work(progress) };
    },
    forget: (id) => void remembered.delete(id),
  };
}
