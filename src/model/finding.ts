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

/** What somebody who knows the product says about a finding in it (Vulnerability Exploitability eXchange). */
export type VexStatus = 'not_affected' | 'affected' | 'fixed' | 'under_investigation';

/** The VEX statement that decides about a finding. */
export interface FindingVex {
  readonly status: VexStatus;
  readonly justification?: string;
  readonly author: string;
  /** Where it stands: a file as it was named, or the digest of what is attached to the image. */
  readonly document: string;
  /** Nobody vouches for the author: the statement is the word of whoever could attach it. */
  readonly unverified?: true;
}

/** A package × vulnerability that applies to it. One per canonical vulnerability and package, wherever copies of it lie. */
export interface Finding {
  /** Canonical id: the CVE when the alias closure has one, else GHSA, else the source's own. */
  readonly id: string;
  readonly aliases: readonly string[];
  /** The first of the copies by path. */
  readonly package: Package;
  /** Where all the copies are, sorted, the first one included; absent when there is one only. */
  readonly paths?: readonly string[];
  readonly installed: string;
  /** Lowest version that ends the affectedness for all records; absent when there is no fix. */
  readonly fixed?: string;
  /** Lowest version that ends it for those who pay for it (Ubuntu Pro), where nothing else does. */
  readonly subscriptionFix?: string;
  readonly status: FindingStatus;
  /** All statements, every source kept. */
  readonly severities: readonly SeverityStatement[];
  /** Date the vulnerability entered CISA's catalogue, ISO day; absent when it is not there. */
  readonly kev?: string;
  readonly epss?: { readonly probability: number; readonly percentile: number };
  readonly published?: string;
  /** The package itself is the attack. */
  readonly malicious?: true;
  /** Headers of a kernel: what is wrong with the kernel is not in them, and containers bring none. */
  readonly kernelHeaders?: true;
  /** What VEX says, whatever it says; `not_affected` and `fixed` take the finding out of the verdict. */
  readonly vex?: FindingVex;
  /** Ids of the advisory records behind it, e.g. DEBIAN-CVE-2024-1, ALPINE-CVE-…. */
  readonly advisories: readonly string[];
  /** Feed that produced it: `osv:Debian`, `alpine-secdb`, … */
  readonly source: string;
}
