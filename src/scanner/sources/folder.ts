import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../platform/errors.ts';
import { catalogerFor, sniffersFor } from '../catalogers/index.ts';
import { ScanError } from '../errors.ts';
import { createEvidenceCollector, type EvidenceCollector } from '../evidence-collector.ts';
import { viewOf, viewOfFile } from '../file-view.ts';
import { type AnalysisLimits, DEFAULT_LIMITS, type LayerEvidence } from '../model.ts';

/** Smaller files are read at once, larger ones where it is asked for. */
const LARGEST_HELD = 1024 * 1024;
/** Kernel file systems: no packages, and no end. */
const PASSED_OVER: ReadonlySet<string> = new Set(['proc', 'sys', 'dev']);

/**
 * Looks at a folder as if it were the one layer of an image. Links are never followed, so nothing outside is read; what
 * cannot be read is a gap.
 */
export async function analyseFolder(root: string, limits: AnalysisLimits = DEFAULT_LIMITS): Promise<LayerEvidence> {
  const found = createEvidenceCollector(limits, undefined);
  const queue = [''];
  try {
    for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
      for (const item of await list(found, root, folder)) {
        const path = folder === '' ? item.name : `${folder}/${item.name}`;
        if (item.isDirectory()) {
          found.add(['d', path]);
          if (!PASSED_OVER.has(path)) queue.push(path);
        } else if (item.isSymbolicLink()) {
          found.add(['l', path, await readlink(join(root, path)).catch(() => '')]);
        } else if (item.isFile() && (catalogerFor(path) || sniffersFor(path).length > 0))
          await takeFile(found, root, path);
        else found.add(['f', path]);
      }
    }
  } catch (error) {
    if (!(error instanceof ScanError)) throw error;
    found.gap({ kind: 'limit', message: `the folder could not be read to its end: ${error.message}` });
    return found.evidence(false);
  }
  return found.evidence(true);
}

async function list(found: EvidenceCollector, root: string, folder: string) {
  try {
    return await readdir(join(root, folder), { withFileTypes: true });
  } catch (error) {
    const message = `${folder || root} could not be read: ${messageOf(error)}`;
    found.gap({ kind: 'unreadable-file', path: folder, message });
    return [];
  }
}

async function takeFile(found: EvidenceCollector, root: string, path: string): Promise<void> {
  let fd: number | undefined;
  try {
    // It may have been exchanged for a link, or for a pipe that never answers, since it was listed.
    fd = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const view = viewOfFile(fd, fstatSync(fd).size);
    await found.addFile(path, {
      size: view.size,
      head: (length) => view.read(0, length),
      view: () => (view.size <= LARGEST_HELD ? viewOf(view.bytes()) : view),
    });
  } catch (error) {
    if (error instanceof ScanError) throw error;
    found.addUnread(path, { kind: 'unreadable-file', message: `${path} could not be read: ${messageOf(error)}` });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
