import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { CoverageGap } from '../../model/inventory.ts';
import { messageOf } from '../../platform/errors.ts';
import { CATALOGERS } from '../catalogers/index.ts';
import { ANALYSER_VERSION, DEFAULT_LIMITS, type FileEvidence, type LayerEntry, type LayerEvidence } from '../model.ts';

/** Kernel file systems: no packages, and no end. */
const PASSED_OVER: ReadonlySet<string> = new Set(['proc', 'sys', 'dev']);

/**
 * Looks at a folder as if it were the one layer of an image. Links are never followed, so nothing outside is read; what
 * cannot be read is a gap.
 */
export async function analyseFolder(root: string): Promise<LayerEvidence> {
  const entries: LayerEntry[] = [];
  const files: FileEvidence[] = [];
  const gaps: CoverageGap[] = [];
  const queue = [''];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    const names = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
      gaps.push({
        kind: 'unreadable-file',
        path: folder ?? '',
        message: `${folder ?? root} could not be read: ${messageOf(error)}`,
      });
      return [];
    });
    for (const item of names) {
      const path = folder === '' ? item.name : `${folder}/${item.name}`;
      if (entries.length >= DEFAULT_LIMITS.entries) {
        gaps.push({ kind: 'limit', message: `reading stopped after ${entries.length} entries` });
        return { analyser: ANALYSER_VERSION, entries, files, removed: [], opaque: [], gaps, complete: false };
      }
      if (item.isDirectory()) {
        entries.push(['d', path]);
        if (!PASSED_OVER.has(path)) queue.push(path);
      } else if (item.isSymbolicLink()) entries.push(['l', path, await readlink(join(root, path)).catch(() => '')]);
      else if (item.isFile()) await takeFile(root, path, { entries, files, gaps });
    }
  }
  return { analyser: ANALYSER_VERSION, entries, files, removed: [], opaque: [], gaps, complete: true };
}

async function takeFile(
  root: string,
  path: string,
  found: { entries: LayerEntry[]; files: FileEvidence[]; gaps: CoverageGap[] },
): Promise<void> {
  const cataloger = CATALOGERS.find((candidate) => candidate.wants(path));
  if (!cataloger) return void found.entries.push(['f', path]);
  let file: FileHandle | undefined;
  try {
    const { size } = await lstat(join(root, path));
    if (size > cataloger.largest) throw new Error(`it has ${size} bytes, more than is read`);
    // It may have been exchanged for a link since it was listed.
    file = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW);
    const content = await file.readFile();
    found.files.push({ cataloger: cataloger.name, ...cataloger.catalog(path, content) });
    found.entries.push(['e', path, found.files.length - 1]);
  } catch (error) {
    found.gaps.push({ kind: 'unreadable-file', path, message: `${path} could not be read: ${messageOf(error)}` });
    found.entries.push(['f', path]);
  } finally {
    await file?.close();
  }
}
