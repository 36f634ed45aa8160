import { type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../platform/errors.ts';
import { walkDocuments } from './documents.ts';
import { FeedError } from './errors.ts';
import type { FeedFile, FeedKind } from './index.ts';
import { readHead } from './open.ts';

/** Deep enough for `osv/<Ecosystem>/all.zip` and `secdb/<branch>/main.json`. */
const MAX_DEPTH = 3;
const MAX_FILES = 20_000;
/** Names of the documents of which a folder may hold hundreds of thousands. */
const DOCUMENT = /^(?:cve|rh[sbe]a)-[\w.-]{1,100}\.json(?:\.gz)?$/i;
const YEAR = /^\d{4}$/;

/**
 * Finds the feeds in a folder by layout and content, not by the names of its subfolders: OSV bulk zips
 * (`<Ecosystem>/all.zip`), Alpine secdb, the Debian tracker's export, CSAF documents and the CVE list (folders of documents, or
 * archives of them), NVD 2.0, KEV and EPSS files. In the order in which they are to be read: of two EPSS files the newer last.
 * Fails with `FeedError` when the folder cannot be read or holds none.
 */
export async function discoverFeeds(folder: string): Promise<readonly FeedFile[]> {
  const found = await search(folder, MAX_DEPTH, { files: 0 });
  if (found.length > 0) return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  throw new FeedError(
    'nothing-found',
    `${folder} holds no advisory feed: expected <Ecosystem>/all.zip (OSV), <branch>/main.json (Alpine secdb), ` +
      'the Debian tracker, Red Hat CSAF documents, the CVE list, NVD 2.0 JSON, the KEV catalogue or EPSS scores, ' +
      'at most three levels deep',
  );
}

async function search(folder: string, depth: number, seen: { files: number }): Promise<FeedFile[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new FeedError('unreadable', `cannot read folder ${folder}: ${messageOf(cause)}`, { cause });
  }
  const documents = await documentsKind(folder, entries);
  if (documents !== undefined) return [{ kind: documents, path: folder }];
  const found: FeedFile[] = [];
  for (const { name } of entries) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info?.isDirectory() && depth > 1) found.push(...(await search(path, depth - 1, seen)));
    if (!info?.isFile()) continue;
    seen.files += 1;
    if (seen.files > MAX_FILES) {
      throw new FeedError('unreadable', `${folder} holds more than ${MAX_FILES} files: point at the feeds themselves`);
    }
    const file = await classify(path);
    if (file !== undefined) found.push(file);
  }
  return found;
}

/** What the documents in a folder are, told by the first one: `cve-….json` side by side, or in a subfolder for each year. */
async function documentsKind(folder: string, entries: readonly Dirent[]): Promise<FeedKind | undefined> {
  const own = entries.some((entry) => entry.isFile() && DOCUMENT.test(entry.name));
  if (!own && !entries.some((entry) => entry.isDirectory() && YEAR.test(entry.name))) return undefined;
  for await (const path of walkDocuments(folder, DOCUMENT)) {
    const head = await readHead(path).catch(() => '');
    if (/"dataType"\s*:\s*"CVE_RECORD"/.test(head)) return 'cvelist';
    return /"csaf_version"\s*:/.test(head) ? 'csaf' : undefined;
  }
  return undefined;
}

async function classify(path: string): Promise<FeedFile | undefined> {
  const name = basename(path);
  if (name === 'all.zip') {
    const parent = basename(dirname(path));
    // Folders of single releases (`Debian:12`) are stale leftovers of the public bucket; GIT records name no package.
    return parent.includes(':') || parent === 'GIT' ? undefined : { kind: 'osv', path, ecosystem: parent };
  }
  if (/^csaf[\w.-]{0,100}\.tar(?:\.zst|\.gz)?$/i.test(name)) return { kind: 'csaf', path };
  if (/cves?[\w.-]{0,100}\.zip$/i.test(name)) return { kind: 'cvelist', path };
  if (!/\.(?:json|csv)(?:\.gz)?$/.test(name)) return undefined;
  const kind = kindOf(await readHead(path).catch(() => ''));
  return kind === undefined ? undefined : { kind, path };
}

/** What a file is, told by its first bytes as text; undefined when it is no feed. */
export function kindOf(head: string): FeedKind | undefined {
  if (/^(?:#model_version:[^\n]*\n)?cve,epss\b/.test(head)) return 'epss';
  if (/"format"\s*:\s*"NVD_CVE"/.test(head)) return 'nvd';
  if (/"catalogVersion"\s*:/.test(head)) return 'kev';
  if (/^\s*\{\s*"[^"]{1,200}"\s*:\s*\{\s*"(?:CVE-\d{4}-\d{4,19}|TEMP-[\w-]{1,60})"\s*:\s*\{/.test(head)) {
    return 'debian-tracker';
  }
  return /"distroversion"\s*:/.test(head) && /"reponame"\s*:/.test(head) ? 'secdb' : undefined;
}
