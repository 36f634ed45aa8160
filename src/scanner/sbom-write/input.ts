import type { Finding } from '../../model/finding.ts';
import type { Inventory } from '../../model/inventory.ts';
import type { Severity } from '../../model/severity.ts';
import type { Digest } from '../../oci/digest.ts';

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
  /** The severity that counts. */
  readonly severity: Severity;
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
