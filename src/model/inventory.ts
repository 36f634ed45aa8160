import type { Digest } from '../oci/digest.ts';

/** What kind of package manager put a package there. OSV's ecosystem names are derived from it and the distribution. */
export type PackageType = 'apk' | 'deb' | 'npm';

/** One package found in an image, with the evidence for it. */
export interface Package {
  readonly type: PackageType;
  readonly name: string;
  readonly version: string;
  readonly arch?: string;
  /** Source package (dpkg Source, apk origin); absent when it is the same as the package. */
  readonly source?: { readonly name: string; readonly version: string };
  /** Package URL, canonical form; the key of the `packages` table. */
  readonly purl: string;
  /** Path of the file that says so, relative to the root, no leading slash. */
  readonly path: string;
  /** Digest of the layer (blob) that brought it; absent for a plain folder. */
  readonly layer?: Digest;
  readonly licence?: string;
}

/** Identity of the operating system, from os-release and its relatives. */
export interface Distribution {
  /** `ID` of os-release: alpine, debian, … */
  readonly id: string;
  /** `VERSION_ID`, or what could be derived (Debian testing has none). */
  readonly version?: string;
  readonly codename?: string;
  readonly idLike: readonly string[];
  readonly prettyName?: string;
  /** True for edge, testing, sid, tumbleweed: no fixed release to compare with. */
  readonly rolling: boolean;
}

/** One gap in what could be seen; shown in every report so that silence is never taken for health. */
export interface CoverageGap {
  readonly kind: 'unreadable-file' | 'limit' | 'unsupported-layer' | 'malformed-entry' | 'truncated';
  readonly path?: string;
  readonly layer?: Digest;
  readonly message: string;
}

/** What is in an image. Pure data: composing the same layers gives the same value, hence the same hash. */
export interface Inventory {
  readonly analyser: string;
  readonly distribution?: Distribution;
  /** Sorted by type, name, version, path. */
  readonly packages: readonly Package[];
  readonly gaps: readonly CoverageGap[];
  /** False when a whole layer could not be read (encrypted, foreign, over limits, damaged): the image is then unscannable. */
  readonly complete: boolean;
}
