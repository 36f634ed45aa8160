import { statfs } from 'node:fs/promises';
import { messageOf } from '../platform/errors.ts';

/** Less room than this, or than a twentieth of a small disk, is as good as none. */
const LEAST_BYTES = 64 * 1024 * 1024;
const LEAST_FILES = 1000;
const SHARE = 20;

/** What is wrong with the disk a folder lies on: undefined while there is room, else one sentence. */
export async function diskProblem(folder: string): Promise<string | undefined> {
  try {
    const { bsize, blocks, bavail, files, ffree } = await statfs(folder);
    if (bavail * bsize < Math.min(LEAST_BYTES, (blocks * bsize) / SHARE))
      return `the disk of the data folder is nearly full: ${Math.floor((bavail * bsize) / 1024 / 1024)} MB are left`;
    // Some file systems have no fixed number of files, and say 0.
    if (files > 0 && ffree < Math.min(LEAST_FILES, files / SHARE))
      return `the disk of the data folder takes only ${ffree} more files`;
    return undefined;
  } catch (error) {
    return `the data folder cannot be looked at: ${messageOf(error)}`;
  }
}
