import type { DatabaseLocation } from '../db/database.ts';
import { messageOf } from '../platform/errors.ts';
import { createWorkerPool } from '../platform/worker-pool.ts';
import type { AdvisoryStore } from '../scanner/advisories/types.ts';
import { SimulationError } from './errors.ts';
import type { Outcome } from './outcome.ts';
import type { Question } from './question.ts';
import type { SimulationTask } from './simulate-apart.ts';

const TIMEOUT_MS = 5 * 60_000;
const MEMORY_MB = 1024;
const YOUNG_MB = 48;

/** Answers what would be, in a process of its own. */
export interface Simulator {
  /** Throws `SimulationError` `simulation_busy` while another question is answered here, or `simulation_failed`. */
  run(question: Question): Promise<Outcome>;
}

export function createSimulator(deps: {
  readonly location: DatabaseLocation;
  readonly hosts: readonly string[];
  readonly advisories: Pick<AdvisoryStore, 'current'>;
}): Simulator {
  const { location, hosts, advisories } = deps;
  let busy = false;

  async function answer(question: Question): Promise<Outcome> {
    // A process for each question: what it remembers of packages and findings is given back with it.
    const pool = createWorkerPool<SimulationTask, Outcome>({
      module: new URL('./simulate-worker.ts', import.meta.url),
      size: 1,
      memoryMb: MEMORY_MB,
      youngMb: YOUNG_MB,
      timeoutMs: TIMEOUT_MS,
      givesWay: true,
    });
    try {
      const database = advisories.current();
      return await pool.run({ location, hosts, question, ...(database ? { advisories: database.path } : {}) });
    } catch (error) {
      throw new SimulationError('simulation_failed', `the simulation came to no end: ${messageOf(error)}`, {
        cause: error,
      });
    } finally {
      await pool.close();
    }
  }

  return {
    async run(question) {
      if (busy)
        throw new SimulationError('simulation_busy', 'another simulation is running; try again when it has ended');
      busy = true;
      try {
        return await answer(question);
      } finally {
        busy = false;
      }
    },
  };
}
