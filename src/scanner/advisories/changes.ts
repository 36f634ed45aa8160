import type { AdvisoryDatabase, AdvisoryKey, HashedKey } from './types.ts';

/** What a change of databases can change in findings and in coverage. */
export interface AdvisoryChanges {
  /** Packages whose facts differ: only inventories that hold one of them need matching again. */
  readonly keys: readonly AdvisoryKey[];
  /** Ecosystems whose sources or their completeness differ: verdicts on them may change without any finding changing. */
  readonly ecosystems: readonly string[];
}

/** Compares two databases. Without a previous one everything in the next one is new. Memory: the differences. */
export function changedKeys(previous: AdvisoryDatabase | undefined, next: AdvisoryDatabase): AdvisoryChanges {
  if (previous?.version === next.version) return { keys: [], ecosystems: [] };
  return { keys: differences(previous?.keys() ?? [], next.keys()), ecosystems: differingSources(previous, next) };
}

/** Walks both sorted lists side by side. */
function differences(before: Iterable<HashedKey>, after: Iterable<HashedKey>): readonly AdvisoryKey[] {
  const [left, right] = [before[Symbol.iterator](), after[Symbol.iterator]()];
  const changed: AdvisoryKey[] = [];
  const note = ({ ecosystem, name }: HashedKey): void => {
    changed.push({ ecosystem, name });
  };
  let [a, b] = [left.next(), right.next()];
  while (!a.done || !b.done) {
    const order = a.done ? 1 : b.done ? -1 : compareKeys(a.value, b.value);
    if (!a.done && order < 0) note(a.value);
    else if (!b.done && (order > 0 || (!a.done && a.value.hash !== b.value.hash))) note(b.value);
    if (order <= 0) a = left.next();
    if (order >= 0) b = right.next();
  }
  return changed;
}

/** The order of SQLite's binary collation: by bytes of UTF-8. */
function compareKeys(a: AdvisoryKey, b: AdvisoryKey): number {
  return compareBytes(a.ecosystem, b.ecosystem) || compareBytes(a.name, b.name);
}

function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function differingSources(previous: AdvisoryDatabase | undefined, next: AdvisoryDatabase): readonly string[] {
  const ecosystems = new Set([...(previous?.sources ?? []), ...next.sources].map(({ ecosystem }) => ecosystem));
  return [...ecosystems].filter((ecosystem) => describe(previous, ecosystem) !== describe(next, ecosystem)).sort();
}

function describe(database: AdvisoryDatabase | undefined, ecosystem: string): string {
  return JSON.stringify((database?.sourcesOf(ecosystem) ?? []).map(({ feed, completeness }) => [feed, completeness]));
}
