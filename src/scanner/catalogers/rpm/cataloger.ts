import type { FileView } from '../../file-view.ts';
import type { StatedPackage } from '../../model.ts';
import type { Cataloger, Found } from '../types.ts';
import { readBdb } from './bdb.ts';
import { type BlobReader, MOST_RECORDS } from './blob-reader.ts';
import { parseHeader } from './header.ts';
import { readManifest } from './manifest.ts';
import { readNdb } from './ndb.ts';
import { packageOf } from './package.ts';
import { readSqlite } from './sqlite.ts';

/** Where rpm keeps its database: in older and newer releases, and where the system is an image itself. */
const FOLDERS = ['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm'] as const;
/** The three formats by the names rpm gives them. */
const READERS: ReadonlyMap<string, BlobReader> = new Map([
  ['Packages', readBdb],
  ['Packages.db', readNdb],
  ['rpmdb.sqlite', readSqlite],
]);
/** What SQLite has written but not yet put into the database. */
const JOURNAL = 'rpmdb.sqlite-wal';
const MANIFEST = 'var/lib/rpmmanifest/container-manifest-2';

/** The folders above may be links, so the end of the path decides; composing looks from the root. */
const WANTED =
  /(?:^|\/)(?:(?:lib|sysimage|share)\/rpm\/(?:Packages|Packages\.db|rpmdb\.sqlite|rpmdb\.sqlite-wal)|rpmmanifest\/container-manifest-2)$/;
const MOST_PROBLEMS = 100;
/** Of all packages in one database; distributions as a whole have more, systems do not. */
const MOST_FILES = 4_000_000;
/** Of a journal; content follows it. */
const JOURNAL_HEADER = 32;

/** Packages of rpm: its database in all three formats, and the list that images without rpm have. */
export const rpmCataloger: Cataloger = {
  name: 'rpm',
  role: 'database',
  places: {
    files: [...FOLDERS.flatMap((folder) => [...READERS.keys(), JOURNAL].map((name) => `${folder}/${name}`)), MANIFEST],
    folders: [],
  },
  largest: 512 * 1024 * 1024,
  wants: (path) => WANTED.test(path),
  catalog(path, file) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const problems: string[] = [];
    const report = (problem: string): void => {
      if (problems.length < MOST_PROBLEMS) problems.push(problem);
    };
    const reader = READERS.get(name);
    if (reader) return { ...readPackages(reader, file, report), problems };
    if (name === JOURNAL) return journal(file);
    return { packages: [...readManifest(file, report)], problems };
  },
};

function readPackages(reader: BlobReader, file: FileView, report: (problem: string) => void): Found {
  const packages: StatedPackage[] = [];
  const owned: string[] = [];
  let bytes = 0;
  let filesLeft = MOST_FILES;
  for (const blob of reader(file, report)) {
    bytes += blob.length;
    if (bytes > file.size) {
      report('its packages overlap: together they are larger than the file; the rest is not read');
      break;
    }
    const header = parseHeader(blob);
    const stated = typeof header === 'string' ? header : packageOf(header, filesLeft);
    if (typeof stated === 'string') {
      report(stated);
      continue;
    }
    packages.push(stated.pkg);
    if (filesLeft > 0 && stated.files >= filesLeft)
      report(`its packages have more than ${MOST_FILES} files; what the rest of them own is not known`);
    filesLeft -= stated.files;
    for (const path of stated.owned) owned.push(path);
    if (packages.length >= MOST_RECORDS) break;
  }
  return { packages, owned };
}

/** Without the journal's index nothing tells whether its content is already in the database. */
function journal({ size }: FileView): Found {
  if (size <= JOURNAL_HEADER) return {};
  return {
    problems: [`it has ${size} bytes, which may change the database beside it and are not read`],
  };
}
