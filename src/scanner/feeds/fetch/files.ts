import { join } from 'node:path';
import { kindOf } from '../discover.ts';
import type { FeedKind } from '../index.ts';
import { readHead } from '../open.ts';
import { readZip } from '../zip-entries.ts';
import { download } from './download.ts';
import { FetchError } from './errors.ts';
import type { FetchContext, FetchOutcome } from './types.ts';

const MEGABYTE = 1024 * 1024;

/** A file to fetch: its place at the source and in the folder, largest size in bytes. */
interface Wanted {
  readonly from: string;
  readonly to: string;
  readonly limit: number;
  readonly kind: FeedKind;
  /** A source may lack it: a branch that has no such repository, a year that has not begun. */
  readonly optional?: boolean;
}

/** Fetches the files of a source, each only when it changed. Throws `FetchError` at the first that cannot be had. */
async function fetchFiles(files: readonly Wanted[], context: FetchContext): Promise<FetchOutcome> {
  let [changed, bytes, found] = [0, 0, 0];
  for (const { from, to, limit, kind, optional } of files) {
    const urls = context.bases.map((base) => (from === '' ? base : `${base}/${from}`));
    const accept = (path: string) => expectKind(path, to, kind);
    try {
      const done = await download({ ...context, urls, to: join(context.to, to), limit, accept });
      found += 1;
      changed += Number(done.changed);
      bytes += done.bytes;
    } catch (error) {
      if (!optional || !(error instanceof FetchError) || error.code !== 'refused') throw error;
    }
  }
  if (found === 0) throw new FetchError('refused', `${context.bases.join(', ')}: none of the files is there`);
  const detail = changed === 0 ? 'unchanged' : `${changed} of ${found} files changed`;
  return { changed: changed > 0, bytes, detail };
}

async function expectKind(path: string, name: string, kind: FeedKind): Promise<void> {
  if (name.endsWith('.zip')) {
    for await (const _ of readZip(path, MEGABYTE)) return;
    throw new FetchError('invalid', `${name} is an empty archive`);
  }
  const head = await readHead(path, 4096, name.endsWith('.gz'));
  if (kindOf(head) !== kind) throw new FetchError('invalid', `what was sent as ${name} is something else`);
}

/** Alpine's security database of some branches: `v3.20`, `edge`. */
export function fetchSecdb(branches: readonly string[], context: FetchContext): Promise<FetchOutcome> {
  const files = branches.flatMap((branch) =>
    ['main', 'community'].map((repository) => {
      const path = `${branch}/${repository}.json`;
      const optional = repository === 'community';
      return { from: path, to: `secdb/${path}`, limit: 64 * MEGABYTE, kind: 'secdb', optional } as const;
    }),
  );
  return fetchFiles(files, context);
}

/** NVD's feeds of all years up to `year`. */
export function fetchNvd(year: number, context: FetchContext): Promise<FetchOutcome> {
  const years = Array.from({ length: year - 2001 }, (_, n) => String(2002 + n));
  const files = years.map((name) => {
    const file = `nvdcve-2.0-${name}.json.gz`;
    const optional = name === String(year);
    return { from: file, to: `nvd/${file}`, limit: 512 * MEGABYTE, kind: 'nvd', optional } as const;
  });
  return fetchFiles(files, context);
}

/** A source that is one file, at its address itself. */
export function fetchSingle(kind: keyof typeof SINGLE, context: FetchContext): Promise<FetchOutcome> {
  const { to, limit } = SINGLE[kind];
  return fetchFiles([{ from: '', to, limit, kind }], context);
}

const SINGLE = {
  'debian-tracker': { to: 'debian-tracker/data.json', limit: 1024 * MEGABYTE },
  kev: { to: 'kev/known_exploited_vulnerabilities.json', limit: 64 * MEGABYTE },
  epss: { to: 'epss/epss_scores-current.csv.gz', limit: 256 * MEGABYTE },
  cvelist: { to: 'cvelist/cves.zip', limit: 8192 * MEGABYTE },
} as const;
