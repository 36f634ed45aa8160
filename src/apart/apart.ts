import { availableParallelism } from 'node:os';
import type { DatabaseHandle, DatabaseLocation } from '../db/database.ts';
import { newId } from '../platform/ids.ts';
import { createWorkerPool } from '../platform/worker-pool.ts';
import type { AdvisoryStore } from '../scanner/advisories/types.ts';
import type { Apart } from '../verdicts/apart.ts';
import type { ComputeTask } from './compute.ts';
import { createUnpacker, type PackedMany } from './packed-many.ts';
import { KEPT_TABLES } from './sources.ts';

/** More would wait for the one that writes. */
const PROCESSES = Math.min(2, availableParallelism());
const MEMORY_MB = 1024;
const YOUNG_MB = 96;
const INITIAL_MB = 200;
/** Of one part: fifty images. */
const TIMEOUT_MS = 60_000;
const IDLE_MS = 5000;

export interface ApartDeps {
  readonly location: DatabaseLocation;
  readonly handle: Pick<DatabaseHandle, 'engine' | 'stateOf'>;
  readonly hosts: readonly string[];
  readonly advisories: Pick<AdvisoryStore, 'current'>;
}

/** Verdicts on much that is stored, computed in processes that end when they had nothing to do for some seconds. */
export function createApart({ location, handle, hosts, advisories }: ApartDeps): Apart & { close(): Promise<void> } {
  // What one remembers of a judging another does not know.
  const pools = Array.from({ length: PROCESSES }, () =>
    createWorkerPool<ComputeTask, PackedMany>({
      module: new URL('./compute-worker.ts', import.meta.url),
      size: 1,
      memoryMb: MEMORY_MB,
      youngMb: YOUNG_MB,
      initialMb: INITIAL_MB,
      timeoutMs: TIMEOUT_MS,
      idleMs: IDLE_MS,
      givesWay: true,
    }),
  );
  const stateOf = handle.stateOf(...KEPT_TABLES);
  /** All writes to a SQLite file go through this process; a server of PostgreSQL tells whoever asks. */
  const state = handle.engine === 'sqlite' ? (stateOf as () => number) : undefined;

  return {
    processes: PROCESSES,
    begin(cause, process) {
      const pool = pools[process];
      if (!pool) throw new RangeError(`there is no process ${process}`);
      let memory = newId();
      let unpack = createUnpacker();
      return {
        async compute(subjects) {
          const database = advisories.current();
          const asked = state?.();
          const packed = await pool.run({
            location,
            hosts,
            ...(database && { advisories: { path: database.path, version: database.version } }),
            ...(asked === undefined ? {} : { state: asked }),
            memory,
            cause,
            subjects,
          });
          const computed = unpack(packed);
          // What changed before a verdict was read is not in its mark.
          return asked === undefined ? computed : { ...computed, holds: () => state?.() === asked };
        },
        forget() {
          memory = newId();
          unpack = createUnpacker();
        },
      };
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}
