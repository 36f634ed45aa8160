import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Folders } from '../../folders.ts';
import { systemClock } from '../../platform/clock.ts';
import {
  type AdvisoryDatabase,
  type AdvisoryStore,
  createAdvisoryStore,
  installSnapshot,
  SNAPSHOT_PATH,
} from '../../scanner/advisories/index.ts';
import { CliError } from '../exit.ts';

/** A database to match with, and what frees it. */
export interface OpenedAdvisories {
  readonly database: AdvisoryDatabase;
  close(): Promise<void>;
}

/**
 * The advisories to scan with: the file that was named, else what a server on this machine has installed in its data folder,
 * else the snapshot that ships with the program. Throws `AdvisoryDatabaseError`.
 */
export async function openAdvisories(config: Folders, file: string | undefined): Promise<OpenedAdvisories> {
  if (file !== undefined) return importedFile(file);
  return installedIn(join(config.dataDir, 'advisories')) ?? shippedSnapshot(config.cacheHome);
}

/** Any database file, packed or not, verified before it is believed. */
async function importedFile(file: string): Promise<OpenedAdvisories> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-db-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const store = createAdvisoryStore({ dir: folder, clock: systemClock });
    const { database } = await store.importFile(file);
    return opened(store, database, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

function installedIn(dir: string): OpenedAdvisories | undefined {
  // A store makes its folder; a scan must not leave one where no server ever ran.
  if (!existsSync(dir)) return undefined;
  const store = createAdvisoryStore({ dir, clock: systemClock });
  const database = store.current();
  return database && opened(store, database);
}

/** Unpacked once for each release of the program; a newer snapshot replaces it. */
async function shippedSnapshot(cacheHome: string): Promise<OpenedAdvisories> {
  const { size, mtimeMs } = statSync(SNAPSHOT_PATH);
  const dir = join(cacheHome, 'advisories', `${size}-${Math.trunc(mtimeMs)}`);
  const store = createAdvisoryStore({ dir, clock: systemClock });
  await installSnapshot(store);
  const database = store.current();
  if (!database) throw new CliError('failed', 'the advisories that ship with the program could not be installed');
  return opened(store, database);
}

function opened(store: AdvisoryStore, database: AdvisoryDatabase, after = () => Promise.resolve()): OpenedAdvisories {
  return {
    database,
    async close() {
      store.close();
      await after();
    },
  };
}
