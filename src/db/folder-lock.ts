import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CodedError } from '../platform/errors.ts';

export class FolderLockError extends CodedError<'folder_in_use'> {}

const LOCK = 'lock.db';

/**
 * Takes a data folder for this process until `release`, or until the process ends however it ends: the lock is the operating
 * system's, held through a SQLite file. Throws `FolderLockError` when another process has it.
 */
export function lockFolder(folder: string): { release(): void } {
  const database = new DatabaseSync(join(folder, LOCK));
  try {
    database.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (error) {
    database.close();
    throw new FolderLockError(
      'folder_in_use',
      `another Breakwater uses the data folder ${folder}; stop it, or give this one its own BREAKWATER_DATA_DIR`,
      { cause: error },
    );
  }
  return { release: () => database.close() };
}
