import { join } from 'node:path';
import { INSTALLATION } from '../../platform/installation.ts';
import type { AdvisoryInstallation, AdvisoryStore } from './types.ts';

/** The database that ships with the program (facts only), and the statements about its feeds that it was built with. */
export const SNAPSHOT_PATH: string = join(INSTALLATION, 'advisories', 'snapshot.sqlite.zst');

/**
 * Installs the shipped snapshot when nothing is installed yet, so that the first scan works off-line.
 * Gives the installation, or undefined when a database was there already. Fails with `AdvisoryDatabaseError`.
 */
export async function installSnapshot(
  store: AdvisoryStore,
  path: string = SNAPSHOT_PATH,
): Promise<AdvisoryInstallation | undefined> {
  return store.current() === undefined ? store.importFile(path) : undefined;
}
