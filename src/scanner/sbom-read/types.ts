import type { Distribution } from '../../model/inventory.ts';
import type { Digest } from '../../oci/digest.ts';
import type { StatedPackage } from '../model.ts';

/** A package as a bill of materials states it. */
export interface SbomPackage extends StatedPackage {
  /** Where the package's evidence was, as far as the document tells. */
  readonly path?: string;
  /** Digest of the layer that brought it, as far as the document tells. */
  readonly layer?: Digest;
}

/** What a bill of materials says. */
export interface Sbom {
  readonly format: 'cyclonedx' | 'spdx';
  /** What it is about. */
  readonly subject?: { readonly name: string; readonly version?: string };
  readonly distribution?: Distribution;
  /** In the order of the document. */
  readonly packages: readonly SbomPackage[];
  /** What could not be understood, a line each. */
  readonly problems: readonly string[];
}

/** Why a document is not read, in words that go on from its name: "it declares a document type". */
export interface RefusedSbom {
  readonly refused: string;
}

/** One thing of a document, in the words of no particular format. */
export interface SbomItem {
  /** `package`: software; `system`: the operating system; `other`: an image, a file, a device. */
  readonly kind: 'package' | 'system' | 'other';
  readonly subject: boolean;
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly description?: string | undefined;
  readonly purl: string | undefined;
  readonly licence: string | undefined;
  readonly path: string | undefined;
  readonly layer: string | undefined;
  readonly source: { readonly name: string; readonly version: string } | undefined;
  readonly module: string | undefined;
  readonly thirdParty: boolean;
}
