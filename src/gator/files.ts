import { lstat, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GatorError } from './errors.ts';

/** No file of suites, templates or objects is larger; what is, is something else. */
const LARGEST_FILE = 16 * 1024 * 1024;
/** Files a walk may find: a folder with more is not one of suites. */
const MOST_FILES = 100_000;

/** Reads a text file of bounded size; devices, pipes and folders are refused. Throws `GatorError('input_unreadable')`. */
export async function readTextFile(path: string): Promise<string> {
  let file: Awaited<ReturnType<typeof open>> | undefined;
  try {
    const info = await stat(path);
    if (!info.isFile()) throw unreadable(path, info.isDirectory() ? 'is a directory' : 'is no file');
    if (info.size > LARGEST_FILE) throw unreadable(path, `is larger than ${LARGEST_FILE} bytes`);
    file = await open(path, 'r');
    const buffer = Buffer.alloc(info.size);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } catch (cause) {
    throw cause instanceof GatorError ? cause : unreadable(path, reasonOf(cause), cause);
  } finally {
    await file?.close();
  }
}

function unreadable(path: string, reason: string, cause?: unknown): GatorError {
  // gator names files from the root without the slash.
  return new GatorError('input_unreadable', `open ${path.replace(/^\//, '')}: ${reason}`, { cause });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ENOTDIR: 'not a directory',
  ELOOP: 'too many levels of symbolic links',
};

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause));
}

/** What a path is, following a link it may be. Throws `GatorError('input_unreadable')`. */
export async function kindOfPath(path: string): Promise<'file' | 'folder'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (cause) {
    throw new GatorError('input_unreadable', `stat ${path.replace(/^\//, '')}: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * The files of a folder whose names end as asked, sorted; with `deep` those of its folders too. Links to folders are not
 * followed, so a walk ends; links to files are files.
 */
export async function filesBelow(folder: string, endings: readonly string[], deep: boolean): Promise<string[]> {
  const found: string[] = [];
  const waiting = [folder];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const entries = await readdir(at, { withFileTypes: true }).catch((cause: unknown) => {
      throw unreadable(at ?? folder, reasonOf(cause), cause);
    });
    for (const entry of entries) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) {
        if (deep) waiting.push(path);
      } else if (
        endings.some((ending) => entry.name.endsWith(ending)) &&
        !(await isLinkToFolder(path, entry.isSymbolicLink()))
      ) {
        found.push(path);
      }
      if (found.length > MOST_FILES) {
        throw new GatorError(
          'input_unreadable',
          `${folder} holds more than ${MOST_FILES} files: name a folder of suites`,
        );
      }
    }
  }
  return found.sort();
}

async function isLinkToFolder(path: string, isLink: boolean): Promise<boolean> {
  if (!isLink) return false;
  const [link, target] = await Promise.all([lstat(path), stat(path).catch(() => undefined)]);
  return link.isSymbolicLink() && (target?.isDirectory() ?? false);
}
