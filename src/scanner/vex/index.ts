export { type Referrers, vexFromReferrers } from './from-referrers.ts';
export { readVexFile } from './read-file.ts';
export type { VexStatement, VexSubject } from './types.ts';
