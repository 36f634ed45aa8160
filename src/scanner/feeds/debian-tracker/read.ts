import type { FeedReader } from '../advisory.ts';
import { readJsonItems } from '../json-items.ts';
import { normalizeTrackerPackage } from './normalize.ts';

/** Reads the Debian security tracker's JSON export (`.json` or `.json.gz`), source package by source package. */
export async function* readDebianTracker(path: string): FeedReader {
  for await (const { key, value } of readJsonItems(path, 'export of the Debian security tracker')) {
    yield normalizeTrackerPackage(String(key), value);
  }
}
