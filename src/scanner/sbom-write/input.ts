import type { Finding } from '../../model/finding.ts';
import type { Inventory } from '../../model/inventory.ts';
import type { Digest } from '../../oci/digest.ts';

export const SBOM_FORMS = ['spdx', 'cyclonedx'] as const;
/** SPDX 2.3 or CycloneDX 1.6, both as JSON. */
export type SbomForm = (typeof SBOM_FORMS)[number];

/** What a bill of materials is about. */
export interface SbomSubject {
  readonly kind: 'image' | 'folder' | 'document';
  /** As it was asked for. */
  readonly name: string;
  /** Of the manifest. */
  readonly digest?: Digest;
  /** With its registry, `docker.io/library/alpine`. */
  readonly repository?: string;
  readonly tag?: string;
}

/** A finding as a bill of materials tells it. */
export interface SbomFinding {
  readonly finding: Finding;
  /** Why it does not count, in words; absent when it counts. */
  readonly setAside?: string;
}

export interface SbomInput {
  readonly subject: SbomSubject;
  readonly inventory: Inventory;
  /** Of the program. */
  readonly version: string;
  /** Epoch ms. */
  readonly now: number;
  /** Written by formats that know vulnerabilities; absent when nobody looked for any. */
  readonly findings?: readonly SbomFinding[];
}
