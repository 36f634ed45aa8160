import type { Package } from './inventory.ts';
import type { SeverityStatement } from './severity.ts';

export type FindingStatus =
  | 'affected'
  | 'fixed'
  | 'not_affected'
  | 'will_not_fix'
  | 'fix_deferred'
  | 'under_investigation'
  | 'end_of_life'
  | 'unknown';

/** A package × advisory that applies to it. One per canonical vulnerability and package. */
export interface Finding {
  /** Canonical id: the CVE when the alias closure has one, else GHSA, else the source's own. */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly package: Package;
  readonly installed: string;
  /** Lowest version that ends the affectedness for all records; absent when there is no fix. */
  readonly fixed?: string;
  readonly status: FindingStatus;
  /** All statements, every source kept. */
  readonly severities: readonly SeverityStatement[];
  /** Date the vulnerability entered CISA's catalogue, ISO day; absent when it is not there. */
  readonly kev?: string;
  readonly epss?: { readonly probability: number; readonly percentile: number };
  readonly published?: string;
  /** Ids of the advisory records behind it, e.g. DEBIAN-CVE-2024-1, ALPINE-CVE-…. */
  readonly advisories: readonly string[];
  /** Feed that produced it: `osv:Debian`, `alpine-secdb`, … */
  readonly source: string;
}
