import { createWorkerPool, WorkerError } from '../../platform/worker-pool.ts';
import { AdvisoryDatabaseError } from './errors.ts';

/** `name` is what messages call the file. */
export interface UnpackTask {
  readonly from: string;
  readonly to: string;
  readonly name: string;
}

export type Unpacked =
  | { readonly version: string }
  | { readonly code: AdvisoryDatabaseError['code']; readonly message: string };

const MEMORY_MB = 256;
const YOUNG_MB = 12;
const TIMEOUT_MS = 30 * 60_000;

/**
 * Copies a database file, packed or not, to `to` (unpacked, which must not exist), makes it durable and verifies it, in a process of its
 * own: that takes a second per 100 MB, which nobody else has to wait for, and leaves no memory behind. Gives the version. Throws
 * `AdvisoryDatabaseError`.
 */
export async function unpackVerified(task: UnpackTask): Promise<string> {
  const pool = createWorkerPool<UnpackTask, Unpacked>({
    module: new URL('./unpack-worker.ts', import.meta.url),
    size: 1,
    memoryMb: MEMORY_MB,
    youngMb: YOUNG_MB,
    timeoutMs: TIMEOUT_MS,
  });
  try {
    const unpacked = await pool.run(task);
    if ('version' in unpacked) return unpacked.version;
    throw new AdvisoryDatabaseError(unpacked.code, unpacked.message);
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
    throw new AdvisoryDatabaseError('damaged', `${task.name} cannot be verified: ${error.message}`, { cause: error });
  } finally {
    await pool.close();
  }
}
