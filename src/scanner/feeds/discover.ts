import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../platform/errors.ts';
import { FeedError } from './errors.ts';
import type { FeedFile, FeedKind } from './index.ts';
import { readHead } from './open.ts';

/** Deep enough for `osv/<Ecosystem>/all.zip` and `secdb/<branch>/main.json`. */
const MAX_DEPTH = 3;
const MAX_FILES = 20_000;

/**
 * Finds the feed files in a folder by layout and content, not by the names of its subfolders: OSV bulk zips
 * (`<Ecosystem>/all.zip`), Alpine secdb, NVD 2.0, KEV and EPSS files. In the order in which they are to be read: of two EPSS
 * files the newer last. Fails with `FeedError` when the folder cannot be read or holds none.
 */
export async function discoverFeeds(folder: string): Promise<readonly FeedFile[]> {
  const paths = await listFiles(folder, MAX_DEPTH);
  const found: FeedFile[] = [];
  for (const path of paths.sort()) {
    const file = await classify(path);
    if (file !== undefined) found.push(file);
  }
  if (found.length > 0) return found;
  throw new FeedError(
    'nothing-found',
    `${folder} holds no advisory feed: expected <Ecosystem>/all.zip (OSV), <branch>/main.json (Alpine secdb), ` +
      'NVD 2.0 JSON, the KEV catalogue or EPSS scores, at most three levels deep',
  );
}

async function listFiles(folder: string, depth: number): Promise<string[]> {
  const files: string[] = [];
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    throw new FeedError('unreadable', `cannot read folder ${folder}: ${messageOf(cause)}`, { cause });
  }
  for (const name of names) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info?.isFile()) files.push(path);
    else if (info?.isDirectory() && depth > 1) files.push(...(await listFiles(path, depth - 1)));
    if (files.length > MAX_FILES) {
      throw new FeedError('unreadable', `${folder} holds more than ${MAX_FILES} files: point at the feeds themselves`);
    }
  }
  return files;
}

async function classify(path: string): Promise<FeedFile | undefined> {
  const parent = basename(dirname(path));
  if (basename(path) === 'all.zip') {
    // Folders of single releases (`Debian:12`) are stale leftovers of the public bucket; GIT records name no package.
    return parent.includes(':') || parent === 'GIT' ? undefined : { kind: 'osv', path, ecosystem: parent };
  }
  if (!/\.(?:json|csv)(?:\.gz)?$/.test(path)) return undefined;
  const kind = kindOf(await readHead(path).catch(() => ''));
  return kind === undefined ? undefined : { kind, path };
}

function kindOf(head: string): FeedKind | undefined {
  if (/^(?:#model_version:[^\n]*\n)?cve,epss\b/.test(head)) return 'epss';
  if (/"format"\s*:\s*"NVD_CVE"/.test(head)) return 'nvd';
  if (/"catalogVersion"\s*:/.test(head)) return 'kev';
  return /"distroversion"\s*:/.test(head) && /"reponame"\s*:/.test(head) ? 'secdb' : undefined;
}
