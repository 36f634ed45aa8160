import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder with all those above it that are missing; gives the topmost that was made, undefined when there was nothing to make. Node's
 * own way never ends where a file system, as `/proc` does, says of a folder it has that it cannot be made because it is absent. Throws as `mkdir`.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<string | undefined> {
  try {
    await mkdir(path, { mode });
    return path;
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return undefined;
    const above = dirname(path);
    if (codeOf(error) !== 'ENOENT' || above === path) throw error;
    const topmost = await makeFolder(above, mode);
    // Unless something is new above it, another try has no other end.
    if (topmost === undefined) return makeAgain(path, mode, error);
    await makeFolder(path, mode);
    return topmost;
  }
}

/** Somebody else may have made what was missing a moment ago. */
async function makeAgain(path: string, mode: number, why: unknown): Promise<string | undefined> {
  try {
    await mkdir(path, { mode });
    return path;
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return undefined;
    throw codeOf(error) === 'ENOENT' ? why : error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
