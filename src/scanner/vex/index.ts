export { applyVex } from './apply.ts';
export { type Referrers, vexFromReferrers } from './from-referrers.ts';
export { readVexFile } from './read-file.ts';
export type { VexReading, VexStatement, VexSubject } from './types.ts';
