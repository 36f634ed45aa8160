import type { DatabaseHandle } from '../db/database.ts';
import { defaultPolicy } from '../policy/policy.ts';

/** What a store of exceptions needs beside the usual, with the built-in limits. */
export function exceptionDeps(handle: Pick<DatabaseHandle, 'stateOf'>) {
  return {
    state: handle.stateOf('exceptions'),
    readableFor: async () => 'all' as const,
    limits: {
      limitsOf: async () => ({ ...defaultPolicy.exceptions, unknownSeverity: 'low' as const }),
      severityOf: () => 'high' as const,
    },
  };
}
