import { access, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, putBlob } from '../blobs/blob-store.ts';
import { openFilesystemBlobStore } from '../blobs/drivers/filesystem.ts';
import { openSnapshot, snapshotDatabase } from '../db/snapshot.ts';
import { readLedger } from '../ledger/ledger.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../platform/clock.ts';
import { CodedError, messageOf } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { forEachOf } from '../platform/parallel.ts';
import { VERSION } from '../platform/version.ts';
import { blobRows } from './blob-rows.ts';
import { type BackupDocument, type BackupFile, readDocument, writeDocument } from './document.ts';
import { BackupError } from './errors.ts';
import { copyFile, describeFile, filesBelow } from './files.ts';

export interface BackupDeps {
  readonly dataDir: string;
  readonly clock: Clock;
  /** Where the server keeps its blobs; undefined when they are backed up in another way. */
  readonly blobs: BlobStore | undefined;
}

export interface BackupOptions {
  /** Links the files of blobs instead of copying them: quick, and no help against a disk that fails. */
  readonly link: boolean;
  /** Throws away blobs that the new backup does not need. */
  readonly prune: boolean;
  readonly onProblem: (digest: Digest, reason: string) => void;
  readonly onProgress: (progress: { readonly blobs: number; readonly copied: number; readonly bytes: number }) => void;
}

export interface BackupResult extends BackupDocument {
  readonly copied: { readonly blobs: number; readonly bytes: number };
  readonly pruned: number;
  readonly problems: number;
}

export const DATABASE = 'breakwater.db';
/** Of the data folder, besides database and blobs: the key of secrets, certificates of the webhook, installed advisories. */
const FILES = ['secret.key'] as const;
const FOLDERS = ['webhook', 'advisories'] as const;
const AT_ONCE = 4;
/** Collection of garbage may take away what a snapshot has; the next snapshot does not have it any more. */
const SNAPSHOTS = 3;

/**
 * Backs a data folder up while its server runs. The database first, then the blobs it names: whatever a row of the backup says is there, is
 * there. A folder that holds an earlier backup gets what is new only, and holds the earlier one until the new one is whole.
 * Throws `BackupError('folder_unusable')`; a blob that cannot be had is told to `onProblem`.
 */
export async function makeBackup(deps: BackupDeps, folder: string, options: BackupOptions): Promise<BackupResult> {
  const { dataDir, clock } = deps;
  await access(join(dataDir, DATABASE)).catch((cause: unknown) => {
    throw new BackupError('folder_unusable', `${dataDir} holds no database; set BREAKWATER_DATA_DIR`, { cause });
  });
  await prepare(folder, dataDir);
  const store = await openFilesystemBlobStore({ root: folder, clock });
  // What an earlier run was cut off in.
  await store.cancelStale(Number.MAX_SAFE_INTEGER);
  const copied = { blobs: 0, bytes: 0 };

  async function copyBlob(blob: { digest: Digest; size: number }, last: boolean): Promise<'there' | 'lost' | 'failed'> {
    const { digest } = blob;
    const { blobs } = deps;
    if (!blobs || (await store.stat(digest))?.size === blob.size) return 'there';
    try {
      const path = options.link ? blobs.localPath?.(digest) : undefined;
      if (path === undefined || !(await store.adoptFile?.(digest, path))) {
        const content = await blobs.open(digest);
        if (!content) {
          if (last) options.onProblem(digest, 'the blob storage does not have it');
          return 'lost';
        }
        await putBlob(store, digest, content);
      }
      copied.blobs += 1;
      copied.bytes += blob.size;
      return 'there';
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      if (last) options.onProblem(digest, error.message);
      return 'failed';
    }
  }

  for (let tries = 1; ; tries += 1) {
    const at = clock.now();
    const name = `database-${newId()}.db`;
    await snapshotDatabase(join(dataDir, DATABASE), join(folder, name)).catch((cause: unknown) => {
      throw new BackupError('not_written', `the database cannot be copied to ${folder}: ${messageOf(cause)}`, {
        cause,
      });
    });
    const snapshot = openSnapshot(join(folder, name));
    try {
      const total = { count: 0, bytes: 0 };
      let problems = 0;
      await forEachOf(blobRows(snapshot.db), AT_ONCE, async (blob) => {
        total.count += 1;
        total.bytes += blob.size;
        if ((await copyBlob(blob, tries === SNAPSHOTS)) !== 'there') problems += 1;
        options.onProgress({ blobs: total.count, copied: copied.blobs, bytes: copied.bytes });
      });
      if (problems > 0 && tries < SNAPSHOTS) continue;
      const head = await readLedger(snapshot.db).head();
      const document: BackupDocument = {
        format: 'breakwater-backup/1',
        at,
        program: VERSION,
        database: await describeFile(folder, name),
        files: await copyFiles(dataDir, folder),
        ...(deps.blobs ? { blobs: total } : {}),
        ...(head ? { ledger: head } : {}),
      };
      await writeDocument(folder, document);
      await removeDatabases(folder, name);
      const pruned = options.prune ? await prune(store, folder, await wantedOf(snapshot.db)) : 0;
      return { ...document, copied, pruned, problems };
    } finally {
      await snapshot.close();
    }
  }
}

/** Makes the folder, or takes one that holds a backup; anything else in it may be somebody's only copy. */
async function prepare(folder: string, dataDir: string): Promise<void> {
  await makeFolder(folder, 0o700);
  if (`${await realpath(folder)}/`.startsWith(`${await realpath(dataDir)}/`))
    throw new BackupError(
      'folder_unusable',
      `${folder} lies in the data folder it is to save, and would be lost with it; give a folder elsewhere`,
    );
  if ((await readDocument(folder)) !== undefined) return;
  const foreign = (await readdir(folder)).find((name) => !OURS.test(name));
  if (foreign !== undefined)
    throw new BackupError('folder_unusable', `${folder} holds "${foreign}" and no backup; give an empty folder`);
}

/** What a backup that was cut off leaves. */
const OURS =
  /^(?:blobs|uploads|trash|webhook|advisories|secret\.key(?:\.part)?|lock\.db(?:-journal)?|backup\.json\.part|database-[0-9a-f-]{36}\.db(?:-journal)?)$/;

async function copyFiles(dataDir: string, folder: string): Promise<BackupFile[]> {
  const copied: BackupFile[] = [];
  for (const path of FILES) {
    const there = await access(join(dataDir, path)).then(
      () => true,
      () => false,
    );
    if (there) copied.push(await copyFile(dataDir, folder, path));
  }
  for (const path of FOLDERS)
    for await (const file of filesBelow(dataDir, path)) copied.push(await copyFile(dataDir, folder, file));
  return copied;
}

/** Databases of earlier backups, and of runs that were cut off. */
async function removeDatabases(folder: string, kept: string): Promise<void> {
  for (const name of await readdir(folder))
    if (/^database-[0-9a-f-]{36}\.db/.test(name) && name !== kept) await rm(join(folder, name), { force: true });
}

async function wantedOf(db: Parameters<typeof blobRows>[0]): Promise<ReadonlySet<string>> {
  const wanted = new Set<string>();
  for await (const { digest } of blobRows(db)) wanted.add(digest);
  return wanted;
}

async function prune(store: BlobStore, folder: string, wanted: ReadonlySet<string>): Promise<number> {
  let pruned = 0;
  for (const algorithm of ['sha256', 'sha512'] as const)
    for await (const path of filesBelow(folder, `blobs/${algorithm}`)) {
      const digest: Digest = `${algorithm}:${path.slice(path.lastIndexOf('/') + 1)}`;
      if (wanted.has(digest)) continue;
      if (await store.delete(digest)) pruned += 1;
    }
  await store.emptyTrash(Number.MAX_SAFE_INTEGER);
  return pruned;
}
