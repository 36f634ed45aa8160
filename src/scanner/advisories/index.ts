export { type BuildOptions, type BuildProgress, type BuildReport, buildAdvisoryDatabase } from './build.ts';
export { type AdvisoryChanges, changedKeys } from './changes.ts';
export { openAdvisoryDatabase } from './database.ts';
export { AdvisoryDatabaseError } from './errors.ts';
export { packDatabase } from './pack.ts';
export { installSnapshot, SNAPSHOT_PATH } from './snapshot.ts';
export { createAdvisoryStore } from './store.ts';
export type { AdvisoryDatabase, AdvisoryInstallation, AdvisoryKey, AdvisoryStore } from './types.ts';
export { verifyAdvisoryDatabase } from './verify.ts';
