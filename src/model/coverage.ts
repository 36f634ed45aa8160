import type { CoverageGap } from './inventory.ts';

/** Where the facts for one ecosystem and release come from, and how far they can be trusted. */
export interface AdvisorySource {
  /** `Alpine:v3.20`, `Debian:12`, `npm`. */
  readonly ecosystem: string;
  readonly feed: string;
  readonly completeness: 'complete' | 'sample';
  readonly records: number;
  /** Newest `modified` of its records, ISO time. */
  readonly newest?: string;
  readonly note?: string;
}

/** The coverage block of every report. */
export interface Coverage {
  readonly distribution: {
    readonly recognised: boolean;
    readonly name?: string;
    readonly rolling?: boolean;
    /** ISO day after which the distribution gets no more fixes, when that is known. */
    readonly endOfLife?: string;
  };
  readonly gaps: readonly CoverageGap[];
  /** Sources consulted for what was found. An ecosystem with packages but no source is in `missing`. */
  readonly sources: readonly AdvisorySource[];
  readonly missing: readonly string[];
  readonly database?: { readonly version: string; readonly builtAt: string };
}
