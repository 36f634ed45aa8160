export type { VexProduct, VexReading, VexStatement, VexStatus, VexSubject } from './types.ts';
