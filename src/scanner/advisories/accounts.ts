import type { AdvisorySource } from '../../model/coverage.ts';
import type { FeedFact, FeedProblem, FeedRecord } from '../feeds/advisory.ts';
import { type FeedManifest, statementFor } from './manifest.ts';

const EXAMPLES = 20;

/** How often something was wrong in the feeds, with the first cases. */
export type Problems = Readonly<
  Partial<Record<FeedProblem, { readonly count: number; readonly examples: readonly string[] }>>
>;

/** Keeps the accounts of a build: records and newest date per ecosystem and feed, and what was wrong. */
export interface Accounts {
  add(record: FeedRecord): void;
  readonly records: number;
  sources(): readonly AdvisorySource[];
  problems(): Problems;
}

interface Entry {
  readonly ecosystem: string;
  readonly feed: string;
  records: number;
  newest?: string;
}

/** `now` (epoch ms) bounds the dates that are believed: a record from the future does not make a source fresh. */
export function createAccounts(manifest: FeedManifest, now: number): Accounts {
  const entries = new Map<string, Entry>();
  const found = new Map<FeedProblem, { count: number; examples: string[] }>();
  let total = 0;

  function note({ problem, record, detail }: Extract<FeedFact, { kind: 'problem' }>): void {
    const entry = found.get(problem) ?? { count: 0, examples: [] };
    entry.count += 1;
    if (entry.examples.length < EXAMPLES) entry.examples.push(`${record}: ${detail}`);
    found.set(problem, entry);
  }

  function newestOf(record: FeedRecord): string | undefined {
    const time = Date.parse(record.modified ?? '');
    if (Number.isNaN(time)) return undefined;
    if (time <= now) return new Date(time).toISOString();
    const name = record.facts.find((fact) => fact.kind === 'statement')?.statement.advisory ?? record.feed;
    note({ kind: 'problem', problem: 'future-date', record: name, detail: record.modified ?? '' });
    return undefined;
  }

  return {
    add(record) {
      const count = record.count ?? 1;
      total += count;
      const newest = newestOf(record);
      for (const ecosystem of record.ecosystems) {
        const key = `${ecosystem}\n${record.feed}`;
        const entry = entries.get(key) ?? { ecosystem, feed: record.feed, records: 0 };
        entry.records += count;
        if (newest !== undefined && newest > (entry.newest ?? '')) entry.newest = newest;
        entries.set(key, entry);
      }
      for (const fact of record.facts) if (fact.kind === 'problem') note(fact);
    },
    get records() {
      return total;
    },
    sources: () =>
      [...entries.values()]
        .map((entry) => describe(entry, manifest))
        .sort((a, b) => order(a.ecosystem, b.ecosystem) || order(a.feed, b.feed)),
    problems: () => Object.fromEntries(found),
  };
}

function describe({ ecosystem, feed, records, newest }: Entry, manifest: FeedManifest): AdvisorySource {
  const { completeness, asOf, note } = statementFor(manifest, feed, ecosystem);
  const date = newest ?? (asOf === undefined ? undefined : `${asOf}T00:00:00.000Z`);
  return {
    ecosystem,
    feed,
    completeness,
    records,
    ...(date === undefined ? {} : { newest: date }),
    ...(note === undefined ? {} : { note }),
  };
}

function order(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}
