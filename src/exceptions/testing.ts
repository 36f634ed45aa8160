import type { DatabaseHandle } from '../db/database.ts';
import { DEFAULT_LIMITS } from './limits.ts';

/** What a store of exceptions needs beside the usual, with the limits that count where no policy says otherwise. */
export function exceptionDeps(handle: Pick<DatabaseHandle, 'stateOf'>) {
  return {
    state: handle.stateOf('exceptions'),
    limits: {
      limitsOf: async () => ({ ...DEFAULT_LIMITS, unknownSeverity: 'low' as const }),
      severityOf: () => 'high' as const,
    },
  };
}
