import type { Digest } from '../oci/digest.ts';

/**
 * Every kind of package an inventory can hold, by its package URL type. OSV's ecosystem names are derived from it and the
 * distribution. `generic` is software without a package manager, known by its executable.
 */
export const PACKAGE_TYPES = [
  'alpm',
  'apk',
  'bitnami',
  'cargo',
  'composer',
  'conda',
  'cran',
  'deb',
  'gem',
  'generic',
  'golang',
  'hackage',
  'hex',
  'maven',
  'npm',
  'nuget',
  'opkg',
  'pub',
  'pypi',
  'rpm',
  'swift',
] as const;

export type PackageType = (typeof PACKAGE_TYPES)[number];

/** Package managers of distributions: their packages are advised on under the name of the distribution. */
export const SYSTEM_PACKAGE_TYPES: ReadonlySet<PackageType> = new Set(['alpm', 'apk', 'deb', 'opkg', 'rpm']);

/** One package found in an image, with the evidence for it. */
export interface Package {
  readonly type: PackageType;
  /** As OSV's ecosystem of that type writes it: `@scope/name`, `group:artifact`, `vendor/name`, a Go module path. */
  readonly name: string;
  /** As the ecosystem writes it; rpm with its epoch when there is one, `1:2.3-4.el9`. Empty only where an SBOM has none. */
  readonly version: string;
  readonly arch?: string;
  /** Source package (dpkg Source, apk origin, rpm SOURCERPM); absent when it is the same as the package. */
  readonly source?: { readonly name: string; readonly version: string };
  /** Module stream of an rpm, `nodejs:12`. */
  readonly module?: string;
  /** A package of the system's manager that somebody other than the distribution built: its advisories do not count. */
  readonly thirdParty?: true;
  /** Package URL, canonical form; the key of the `packages` table. */
  readonly purl: string;
  /** Path of the file that says so, relative to the root, no leading slash; `!/` leads into an archive. */
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
  readonly kind:
    | 'unreadable-file'
    | 'limit'
    | 'unsupported-layer'
    | 'malformed-entry'
    | 'truncated'
    /** Packages that were read, but that no advisory can speak of. */
    | 'not-covered';
  readonly path?: string;
  readonly layer?: Digest;
  readonly message: string;
}

/** A layer of an image and the build step that made it, as the image's history tells. */
export interface InventoryLayer {
  readonly digest?: Digest;
  /** `created_by` of the history: the Dockerfile step. */
  readonly createdBy?: string;
}

/** What is in an image. Pure data: composing the same layers gives the same value, hence the same hash. */
export interface Inventory {
  readonly analyser: string;
  readonly distribution?: Distribution;
  /** Sorted by type, name, version, path. */
  readonly packages: readonly Package[];
  readonly gaps: readonly CoverageGap[];
  /** Lowest first, with the step that made each; absent where nothing is known of the steps. */
  readonly layers?: readonly InventoryLayer[];
  /** False when a whole layer could not be read (encrypted, foreign, over limits, damaged): the image is then unscannable. */
  readonly complete: boolean;
}
