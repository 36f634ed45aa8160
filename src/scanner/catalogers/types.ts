import type { FileEvidence } from '../model.ts';

/** Finds packages in files of one kind. Pure: the core opens, bounds and closes. */
export interface Cataloger {
  readonly name: string;
  /** True for paths (below the root, no leading slash) this cataloger wants to read. Asked for every file of every layer. */
  wants(path: string): boolean;
  /** Largest file it makes sense to read, in bytes; larger ones become a gap. */
  readonly largest: number;
  /** Reads one whole file. Never throws: what cannot be understood is a problem, the rest is kept. */
  catalog(path: string, content: Buffer): Omit<FileEvidence, 'cataloger'>;
  /**
   * Files that may get a wanted name only later, through a hard link: archives hold the content under whichever name comes
   * first. They are known by a name and a first byte.
   */
  readonly linked?: { wants(path: string): boolean; readonly firstByte: number };
}
