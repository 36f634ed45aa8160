import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder with all those above it that are missing; gives the topmost that was made, undefined when there was nothing to make. Node's
 * own way never ends where a file system, as `/proc` does, says of a folder it has that it cannot be made because it is absent. Throws as `mkdir`.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<string | undefined> {
  const above = dirname(path);
  try {
    return (await makeOne(path, mode)) ? path : undefined;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || above === path) throw error;
  }
  const topmost = await makeFolder(above, mode);
  return (await makeOne(path, mode)) ? (topmost ?? path) : topmost;
}

/** False when it is there already. */
async function makeOne(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return false;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
