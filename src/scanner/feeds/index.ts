import type { FeedReader } from './advisory.ts';
import { readCsaf } from './csaf/read.ts';
import { readCveList } from './cvelist/read.ts';
import { readDebianTracker } from './debian-tracker/read.ts';
import { readEpss } from './epss/read.ts';
import { readKev } from './kev/read.ts';
import { readNvd } from './nvd/read.ts';
import { readOsvZip } from './osv/read.ts';
import { readSecdb } from './secdb/read.ts';

export type FeedKind = 'osv' | 'secdb' | 'debian-tracker' | 'csaf' | 'cvelist' | 'nvd' | 'kev' | 'epss';

/** A feed found in a folder: a file, or a folder of documents. */
export interface FeedFile {
  readonly kind: FeedKind;
  readonly path: string;
  /** OSV base ecosystem, for `osv` only. */
  readonly ecosystem?: string;
}

/** Every feed by kind. A new one is a folder beside these, a line here and a rule in `discover.ts`. */
const READERS: Readonly<Record<FeedKind, (file: FeedFile) => FeedReader>> = {
  osv: ({ path, ecosystem = '' }) => readOsvZip(path, ecosystem),
  secdb: ({ path }) => readSecdb(path),
  'debian-tracker': ({ path }) => readDebianTracker(path),
  csaf: ({ path }) => readCsaf(path),
  cvelist: ({ path }) => readCveList(path),
  nvd: ({ path }) => readNvd(path),
  kev: ({ path }) => readKev(path),
  epss: ({ path }) => readEpss(path),
};

/** Reads a feed file record by record. Fails with `FeedError` when the file as a whole is none. */
export function readFeed(file: FeedFile): FeedReader {
  return READERS[file.kind](file);
}
