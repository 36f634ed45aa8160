export { changedKeys } from './changes.ts';
export { installSnapshot, SNAPSHOT_PATH } from './snapshot.ts';
export { createAdvisoryStore } from './store.ts';
export type { AdvisoryDatabase, AdvisoryStore } from './types.ts';
export { unpackVerified } from './unpack-apart.ts';
