export { changedKeys } from './changes.ts';
export { packDatabase, unpackDatabase } from './pack.ts';
export { SCHEMA_VERSION } from './schema.ts';
export { installSnapshot, SNAPSHOT_PATH } from './snapshot.ts';
export { createAdvisoryStore } from './store.ts';
export type { AdvisoryDatabase, AdvisoryStore } from './types.ts';
export { verifyAdvisoryDatabase } from './verify.ts';
