import { type DatabaseLocation, openDatabase } from '../../src/db/database.ts';
import { type FindingQuery, listFindings } from '../../src/findings/list.ts';
import { timeEach } from './slowest.ts';

/** What a process of its own is to read. */
export interface Reading {
  readonly location: DatabaseLocation;
  /** Read before, untimed: the first pages fill the cache. */
  readonly first: readonly FindingQuery[];
  readonly queries: readonly FindingQuery[];
}

async function read({ location, first, queries }: Reading): Promise<void> {
  const handle = await openDatabase(location);
  const page = async (query: FindingQuery) => {
    if (!(await listFindings(handle.db, query))) throw new Error('the page has no place');
  };
  for (const query of first) await page(query);
  const times = await timeEach(queries, page);
  await handle.close();
  process.send?.(times, undefined, undefined, () => process.exit());
}

process.once('message', (reading: Reading) => void read(reading));
