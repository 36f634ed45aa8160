import type { SeverityStatement } from '../../model/severity.ts';
import type { AdvisoryStatement } from '../matcher/lookup.ts';

/** A statement as published: one text may speak of several vulnerabilities, each a list of ids, canonical first. */
export interface PublishedStatement extends Omit<AdvisoryStatement, 'ids'> {
  readonly vulnerabilities: readonly (readonly string[])[];
}

/** The common model: what every feed is reduced to, one fact at a time. */
export type FeedFact =
  | {
      readonly kind: 'statement';
      /** Exact OSV ecosystem with its release: `Alpine:v3.20`, `Debian:12`, `npm`. */
      readonly ecosystem: string;
      /** Name as it is looked up: the `packageKey` of what the source says. */
      readonly name: string;
      readonly statement: PublishedStatement;
    }
  | {
      readonly kind: 'vulnerability';
      readonly id: string;
      readonly severities: readonly SeverityStatement[];
      readonly published?: string;
      readonly rejected: boolean;
    }
  | { readonly kind: 'kev'; readonly id: string; readonly added: string }
  | { readonly kind: 'epss'; readonly id: string; readonly probability: number; readonly percentile: number }
  | { readonly kind: 'problem'; readonly problem: FeedProblem; readonly record: string; readonly detail: string };

/** Why a record or a part of one is not used. None of them stops a build; all are counted and the first ones shown. */
export type FeedProblem =
  | 'malformed-record'
  | 'too-large'
  | 'invalid-version'
  | 'empty-range'
  | 'unordered-events'
  | 'contradiction'
  | 'withdrawn'
  | 'commits-only'
  | 'unknown-release'
  | 'no-package'
  | 'future-date';

/** Everything one record of a feed gives, with what the accounts of its source need. */
export interface FeedRecord {
  readonly facts: readonly FeedFact[];
  /** Feed as reports name it: `osv:npm`, `alpine-secdb`, `nvd`, `cisa-kev`, `epss`. */
  readonly feed: string;
  /** Ecosystems this record counts for; `*` for feeds about vulnerabilities in general. */
  readonly ecosystems: readonly string[];
  /** How many records of the source this stands for; 1 when absent. */
  readonly count?: number;
  /** ISO time of the last change. */
  readonly modified?: string;
}

/** A feed file being read: records one by one, never the whole. */
export type FeedReader = AsyncIterable<FeedRecord>;

/** A record that could not be understood, for the accounts. */
export function problem(kind: FeedProblem, record: string, detail: string): FeedFact {
  return { kind: 'problem', problem: kind, record: record.slice(0, 200), detail: detail.slice(0, 300) };
}
