import type { VexStatus } from '../../model/finding.ts';
import type { Digest } from '../../oci/digest.ts';
import type { PurlPattern } from './purl-pattern.ts';

export type { VexStatus } from '../../model/finding.ts';

/** What a statement is about, one of several: an image, a package, or a package within one of them. */
export interface VexProduct {
  /** Digests of the image: of its manifest, index or configuration. */
  readonly digests: readonly Digest[];
  /** The image or package by package URL; without a version any version. */
  readonly purls: readonly PurlPattern[];
  /** Names of the image, with or without registry, tag and digest. */
  readonly names: readonly string[];
  /** The statement holds for these packages in the product only; empty = for the product as a whole. */
  readonly components: readonly PurlPattern[];
}

/** What one author says about one vulnerability in some products, whatever the format. */
export interface VexStatement {
  /** Every id given; never empty. */
  readonly vulnerabilities: readonly string[];
  readonly products: readonly VexProduct[];
  readonly status: VexStatus;
  readonly justification?: string;
  readonly author: string;
  /** When the author said so, epoch ms; absent when not told. */
  readonly at?: number;
  /** File, or digest of what is attached to the image. */
  readonly document: string;
  readonly unverified?: true;
}

/** The statements of a document, and what of it could not be used, each a sentence. */
export interface VexReading {
  readonly statements: readonly VexStatement[];
  readonly problems: readonly string[];
}

/** The image that findings are about, as far as it is known. */
export interface VexSubject {
  /** Its manifest, the index it was taken from, its configuration. */
  readonly digests: readonly Digest[];
  /** References it goes by, `registry.example.com/team/app:1.2`, `team/app`. */
  readonly names: readonly string[];
  /** Package URLs of everything in it. */
  readonly purls: readonly string[];
}
