export { changedKeys } from './changes.ts';
export { type KnownAs, knownAs } from './known-as.ts';
export { installSnapshot, SNAPSHOT_PATH } from './snapshot.ts';
export { createAdvisoryStore } from './store.ts';
export type { AdvisoryDatabase, AdvisoryStore } from './types.ts';
export { unpackVerified } from './unpack-apart.ts';
