import type { DatabaseHandle } from '../db/database.ts';
import type { Severity } from '../model/severity.ts';
import { defaultPolicy } from '../policy/policy.ts';
import type { LimitSource } from './limits.ts';

/** Advisories that say the same of everything. */
export function knownToBe(severity: Severity): LimitSource['knownAs'] {
  return async (ids) => new Map(ids.map((id) => [id, { names: new Set([id]), severity }]));
}

/** What a store of exceptions needs beside the usual, with the built-in limits. */
export function exceptionDeps(handle: Pick<DatabaseHandle, 'stateOf'>) {
  return {
    state: handle.stateOf('exceptions'),
    readableFor: async () => 'all' as const,
    limits: {
      limitsOf: async () => ({ ...defaultPolicy.exceptions, unknownSeverity: 'low' as const }),
      knownAs: knownToBe('high'),
    },
  };
}
