import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, putBlob } from '../blobs/blob-store.ts';
import { openSnapshot } from '../db/snapshot.ts';
import type { Digest } from '../oci/digest.ts';
import { CodedError } from '../platform/errors.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { forEachOf } from '../platform/parallel.ts';
import { blobRows } from './blob-rows.ts';
import { type BackupDocument, requireDocument } from './document.ts';
import { BackupError } from './errors.ts';
import { copyFile } from './files.ts';
import { DATABASE } from './make.ts';
import { readBlob } from './read-blob.ts';
import { checkFiles } from './verify.ts';

export interface RestoreDeps {
  readonly dataDir: string;
  /** Where the restored server will keep its blobs. */
  readonly blobs: BlobStore;
}

export interface RestoreResult {
  readonly document: BackupDocument;
  readonly blobs: number;
  readonly bytes: number;
  readonly problems: number;
}

const AT_ONCE = 4;

/**
 * Puts a backup into a data folder that has no database: blobs first, each verified, the database last. Cut off, it leaves no server that
 * would start with half of it, and goes on when it is run again. Throws `BackupError`; a blob that the backup does not have whole is told to
 * `onProblem`.
 */
export async function restoreBackup(
  deps: RestoreDeps,
  folder: string,
  onProblem: (digest: Digest, reason: string) => void,
): Promise<RestoreResult> {
  const { dataDir, blobs } = deps;
  const document = await requireDocument(folder);
  const [first] = await checkFiles(folder, document);
  if (first !== undefined)
    throw new BackupError('not_a_backup', `the backup cannot be restored: ${first}; see: breakwater backup verify`);
  await refuseUsed(dataDir);
  await makeFolder(dataDir, 0o700);
  const result = { document, blobs: 0, bytes: 0, problems: 0 };

  if (document.blobs) {
    const snapshot = openSnapshot(join(folder, document.database.path));
    try {
      await forEachOf(blobRows(snapshot.db), AT_ONCE, async ({ digest, size }) => {
        result.blobs += 1;
        result.bytes += size;
        if ((await blobs.stat(digest))?.size === size) return;
        const reason = await restoreBlob(folder, blobs, digest);
        if (reason === undefined) return;
        result.problems += 1;
        onProblem(digest, reason);
      });
    } finally {
      await snapshot.close();
    }
  }
  for (const { path } of document.files) await copyFile(folder, dataDir, path);
  // A server that was killed here once may have left them; with another database they would ruin it.
  for (const suffix of ['-wal', '-shm']) await rm(join(dataDir, `${DATABASE}${suffix}`), { force: true });
  await copyFile(folder, dataDir, document.database.path, DATABASE);
  return result;
}

async function restoreBlob(folder: string, to: BlobStore, digest: Digest): Promise<string | undefined> {
  try {
    const content = await readBlob(folder, digest);
    if (!content) return 'the backup does not have it';
    await putBlob(to, digest, content);
    return undefined;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return error.message;
  }
}

async function refuseUsed(dataDir: string): Promise<void> {
  const used = await access(join(dataDir, DATABASE)).then(
    () => true,
    () => false,
  );
  if (used)
    throw new BackupError(
      'folder_unusable',
      `${dataDir} has a database already; restore into an empty folder, named by BREAKWATER_DATA_DIR`,
    );
}
