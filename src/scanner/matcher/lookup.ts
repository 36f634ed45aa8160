import type { AdvisorySource } from '../../model/coverage.ts';
import type { FindingStatus } from '../../model/finding.ts';
import type { SeverityStatement } from '../../model/severity.ts';

/**
 * Half-open or closed interval of versions: `introduced` absent = from the first version on; `fixed` excluded,
 * `lastAffected` included, neither = no upper bound.
 */
export interface AffectedRange {
  readonly introduced?: string;
  readonly fixed?: string;
  readonly lastAffected?: string;
}

/** What one advisory record says about one package of one ecosystem, reduced to the facts that matching uses. */
export interface AdvisoryStatement {
  /** Id of the record as published: `ALPINE-CVE-2024-1`, `GHSA-…`, `DSA-5474-1`. */
  readonly advisory: string;
  /** Every id of the one vulnerability meant, aliases included, canonical ones first. Never empty. */
  readonly ids: readonly string[];
  /** Feed that says so: `osv:Debian`, `alpine-secdb`. */
  readonly feed: string;
  readonly ranges: readonly AffectedRange[];
  /** Versions affected besides those in `ranges`. */
  readonly versions: readonly string[];
  /** A negative statement: the package never had this vulnerability here. It vetoes every other statement on the same id. */
  readonly never?: boolean;
  /** What the publisher says beyond affected and fixed, e.g. `end_of_life`. */
  readonly status?: FindingStatus;
  /** The statement is filed under a source package but holds for these binary packages only. */
  readonly binaries?: readonly string[];
  /** Holds for packages of this module stream only, `nodejs:12`. */
  readonly module?: string;
  /** Holds for these architectures only, as the package manager writes them. */
  readonly arches?: readonly string[];
  /** The fix is sold apart (Ubuntu Pro): installed versions without it stay affected, and the fix needs a subscription. */
  readonly subscription?: true;
  /** The package itself is the attack (`MAL-…`): there is nothing in it to fix. */
  readonly malicious?: true;
  /** Severities specific to this record or package (distribution urgency, GHSA, CNA). */
  readonly severities: readonly SeverityStatement[];
  /** ISO time. */
  readonly published?: string;
}

/** What is known about a vulnerability whatever the package. */
export interface VulnerabilityFacts {
  readonly severities: readonly SeverityStatement[];
  /** Day it entered CISA's catalogue. */
  readonly kev?: string;
  readonly epss?: { readonly probability: number; readonly percentile: number };
  readonly published?: string;
  /** The CVE was rejected by its numbering authority: nothing is reported for it. */
  readonly rejected?: boolean;
}

/** The narrow, synchronous read side of an advisory database that matching needs. */
export interface AdvisoryLookup {
  /** Sources of one ecosystem and release; empty when the database knows nothing of it. */
  sourcesOf(ecosystem: string): readonly AdvisorySource[];
  /** The ecosystems of the database whose names begin with a text. */
  ecosystemsUnder(prefix: string): readonly string[];
  /** Statements about a package under the exact ecosystem key, e.g. (`Debian:12`, `openssl`). */
  advisoriesFor(ecosystem: string, name: string): readonly AdvisoryStatement[];
  /** Facts on one id; undefined when there are none. */
  vulnerability(id: string): VulnerabilityFacts | undefined;
}
