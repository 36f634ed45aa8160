import type { Db } from '../db/database.ts';
import { cacheWhileUnchanged, type DatabaseState } from '../db/unchanged.ts';
import type { Clock } from '../platform/clock.ts';
import type { GrantedException } from '../policy/exceptions.ts';
import { toGranted } from './exception.ts';
import { grantedRows } from './exception-rows.ts';

/** Bytes of granted exceptions kept in memory, by a rough weight. */
const KEPT = { limit: 32 * 1024 * 1024, weigh: ({ list }: Held) => 256 + list.length * 512 };

/** What is granted in a project, and when the first of it ends. */
interface Held {
  readonly list: readonly GrantedException[];
  readonly firstEnd: number;
}

export interface GrantedDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly state: DatabaseState;
}

/**
 * What `judge` may apply to a project: granted there or for all, not revoked, not over. Valid in [from, until). The same list as
 * long as nothing was written and nothing is over.
 */
export function createGranted({ db, clock, state }: GrantedDeps) {
  const kept = cacheWhileUnchanged<Held>(state, KEPT);
  return async (projectId: string): Promise<readonly GrantedException[]> => {
    const now = clock.now();
    const held = await kept.get(projectId, async () => {
      const list = (await grantedRows(db, projectId, now)).map(toGranted);
      return { list, firstEnd: list.reduce((first, { until }) => Math.min(first, until), Infinity) };
    });
    if (!held) return [];
    return now < held.firstEnd ? held.list : held.list.filter(({ until }) => now < until);
  };
}
