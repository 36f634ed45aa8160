import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { ApartRun } from './apart.ts';
import { type ComputedMany, computeAgain, createManyMemory } from './judge-many.ts';
import type { Cause } from './ports.ts';
import type { Sources } from './sources.ts';
import type { Subject } from './subjects.ts';

export interface ComputingDeps extends Sources {
  readonly logger: Logger;
}

/** Computes the verdicts of one judging, part by part. */
export interface Computing {
  readonly cause: Cause;
  /** Undefined for what is to be computed `again`. What was computed before is taken for written, soon or already. */
  compute(images: readonly Subject[]): Promise<ComputedMany | undefined>;
  /** Of images before which everything is written, whatever was computed. */
  again(images: readonly Subject[]): Promise<ComputedMany>;
}

/** In another process where one is given, for as long as it lives, else here. */
export function createComputing(deps: ComputingDeps, cause: Cause, apart?: ApartRun): Computing {
  const memory = createManyMemory();
  let run = apart;

  /** What keeps many from being judged at once is found out, and written down, one by one. */
  async function here(subjects: readonly Subject[]): Promise<ComputedMany> {
    try {
      return await computeAgain(deps, subjects, cause, memory);
    } catch (error) {
      deps.logger.warn({ images: subjects.length, reason: messageOf(error) }, 'verdicts are renewed one by one');
      // What is remembered will not be written.
      memory.clocks.clear();
      return { subjects, replacements: [] };
    }
  }

  return {
    cause,
    async compute(images) {
      if (!run) return here(images);
      try {
        return await run.compute(images);
      } catch (error) {
        deps.logger.warn({ reason: messageOf(error) }, 'verdicts are computed by the server itself');
        run = undefined;
        return undefined;
      }
    },
    again(images) {
      run?.forget();
      memory.clocks.clear();
      return here(images);
    },
  };
}
