import type { CoverageGap, PackageType } from '../model/inventory.ts';

/** Raised whenever stored evidence would differ: layers are then analysed again. */
export const ANALYSER_VERSION = 'breakwater/5';

/** A package as one file of a layer states it; what depends on the whole image (purl, layer) is added when composing. */
export interface StatedPackage {
  readonly type: PackageType;
  readonly name: string;
  readonly version: string;
  readonly arch?: string;
  readonly source?: { readonly name: string; readonly version: string };
  readonly licence?: string;
  readonly module?: string;
  readonly thirdParty?: true;
  /** Where inside the file, when the file is an archive: `BOOT-INF/lib/a.jar`, deeper ones joined by `!/`. */
  readonly inside?: string;
}

/** What a cataloger found in one file. */
export interface FileEvidence {
  readonly cataloger: string;
  readonly packages?: readonly StatedPackage[];
  /** Paths of language packages that an operating system package owns. */
  readonly owned?: readonly string[];
  /** Text of a small file that is understood only in the whole image (os-release). */
  readonly text?: string;
  /** Packages in a database that do not come from the distribution: it vouches for none of their files. */
  readonly thirdParty?: readonly string[];
  /** Entries that could not be understood; the rest was kept. */
  readonly problems?: readonly string[];
  /** Why the file was not read at all, though somebody wanted it. */
  readonly unread?: { readonly kind: 'limit' | 'unreadable-file'; readonly message: string };
}

/**
 * What one entry of a layer does to the tree, in the order of the archive. Plain files and directories matter only for what
 * they replace, so nothing but their path is kept.
 */
export type LayerEntry =
  | readonly ['f', path: string]
  | readonly ['d', path: string]
  | readonly ['l', path: string, target: string]
  /** A hard link to a file of this layer or a lower one. */
  | readonly ['h', path: string, target: string]
  /** A file with evidence: its number in `files`. */
  | readonly ['e', path: string, file: number];

/** Everything a layer says that an image needs. Plain JSON. */
export interface LayerEvidence {
  readonly analyser: string;
  /** All `LayerEntry`s in one text, see `layers/entries.ts`: a layer may have millions. */
  readonly entries: string;
  readonly files: readonly FileEvidence[];
  /** Paths removed from lower layers, and folders whose lower content is hidden. */
  readonly removed: readonly string[];
  readonly opaque: readonly string[];
  readonly gaps: readonly CoverageGap[];
  /** False when the layer could not be read to its end, or is no file system at all. */
  readonly complete: boolean;
}

export interface AnalysisLimits {
  readonly entries: number;
  /** Bytes of the layer without compression. */
  readonly uncompressedBytes: number;
  /** Bytes of one file that a cataloger reads; large ones lie on disk meanwhile. */
  readonly fileBytes: number;
  /** Bytes of all files that catalogers read in one layer. */
  readonly catalogedBytes: number;
  /** Characters of all paths and texts that are kept of one layer. */
  readonly evidenceLength: number;
}

export const DEFAULT_LIMITS: AnalysisLimits = {
  entries: 4_000_000,
  uncompressedBytes: 100 * 1024 ** 3,
  fileBytes: 1024 ** 3,
  catalogedBytes: 16 * 1024 ** 3,
  evidenceLength: 256 * 1024 ** 2,
};
