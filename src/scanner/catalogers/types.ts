import type { FileView } from '../file-view.ts';
import type { FileEvidence } from '../model.ts';

export type Found = Omit<FileEvidence, 'cataloger'>;

/**
 * What a cataloger's files are to the image. `identity`: which system this is. `database`: what the system's package manager
 * has installed; counts only where that manager would look. `language`: everything else; does not count where a package
 * of the distribution owns the file.
 */
export type CatalogerRole = 'identity' | 'database' | 'language';

/** Finds packages in files of one kind. Pure: the core opens, bounds and closes. */
export interface Cataloger {
  readonly name: string;
  readonly role: CatalogerRole;
  /** True for paths (below the root, no leading slash) this cataloger wants to read. Asked for every file of every layer. */
  wants(path: string): boolean;
  /** Where the manager of this system keeps its database, for the role `database`: whole paths, and folders of many files. */
  readonly places?: { readonly files: readonly string[]; readonly folders: readonly string[] };
  /** Largest file it makes sense to read, in bytes; larger ones become a gap. */
  readonly largest: number;
  /** Reads one file. Never throws: what cannot be understood is a problem, the rest is kept. */
  catalog(path: string, file: FileView): Found;
  /**
   * Files that are known by their content: asked only for those that nobody wants by name. `mayWant` looks at the path, `wants`
   * at the first bytes (`SNIFFED_BYTES`, fewer for smaller files). A file in which nothing is found leaves no trace.
   */
  readonly sniff?: { mayWant(path: string): boolean; wants(head: Buffer): boolean };
  /**
   * Files that may get a wanted name only later, through a hard link: archives hold the content under whichever name comes
   * first. They are known by a name and a first byte.
   */
  readonly linked?: { wants(path: string): boolean; readonly firstByte: number };
}

/** How much of a file is shown to `sniff.wants`. */
export const SNIFFED_BYTES = 64;
