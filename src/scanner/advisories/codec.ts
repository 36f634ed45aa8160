import type { FindingStatus } from '../../model/finding.ts';
import type { SeverityStatement } from '../../model/severity.ts';
import type { PublishedStatement } from '../feeds/advisory.ts';
import type { AdvisoryStatement } from '../matcher/lookup.ts';

/** A range as [introduced, fixed, last affected], null where absent. */
type EncodedRange = readonly [string | null, string | null, string | null];
/** A list of names as it is written in a statement: the name of a list in the staging database, or its place in a package. */
type NamesRef = string | number;

/** A statement as a tuple; nulls at its end are left out. Order is part of the file format. */
type Encoded = readonly [
  advisory: string,
  vulnerabilities: readonly (readonly string[])[],
  feed: string,
  ranges: readonly EncodedRange[],
  published?: string | null,
  severities?: readonly SeverityStatement[] | null,
  versions?: readonly string[] | null,
  never?: 1 | null,
  status?: FindingStatus | null,
  binaries?: NamesRef | null,
  module?: string | null,
  arches?: NamesRef | null,
  flags?: number | null,
];

/** Bits of `flags`. */
const SUBSCRIPTION = 1;
const MALICIOUS = 2;

/**
 * Compact JSON text of one statement; `share` takes a list of names and gives what stands for it. Equal statements give equal
 * text when equal lists give the same.
 */
export function encodeStatement(statement: PublishedStatement, share: (names: readonly string[]) => string): string {
  return JSON.stringify(toTuple(statement, share));
}

/** The statement of one encoded text; `listOf` gives the list that something stands for. */
export function decodeStatement(text: string, listOf: (ref: string) => readonly string[]): PublishedStatement {
  return fromTuple(JSON.parse(text) as Encoded, (ref) => listOf(String(ref)));
}

/** Body of a package row: the lists of names that its statements share, each once, and the statements. */
export function encodeBody(statements: readonly PublishedStatement[]): string {
  const lists = new Map<string, number>();
  const known = new Map<readonly string[], number>();
  const share = (names: readonly string[]): number => {
    const same = known.get(names);
    if (same !== undefined) return same;
    const text = JSON.stringify(names);
    const at = lists.get(text) ?? lists.size;
    lists.set(text, at);
    known.set(names, at);
    return at;
  };
  const tuples = statements.map((statement) => toTuple(statement, share));
  return `[[${[...lists.keys()].join(',')}],${JSON.stringify(tuples)}]`;
}

/** The statements of a package row, one per vulnerability. */
export function decodeBody(body: string): readonly AdvisoryStatement[] {
  const [lists, tuples] = JSON.parse(body) as readonly [readonly (readonly string[])[], readonly Encoded[]];
  return tuples.flatMap((tuple) => {
    const { vulnerabilities, ...rest } = fromTuple(tuple, (ref) => lists[Number(ref)] ?? []);
    return vulnerabilities.map((ids) => ({ ...rest, ids }));
  });
}

/** Ascending numbers of packages as the index of ids has them: each as its distance from the one before. */
export function encodePlaces(numbers: readonly number[]): string {
  return JSON.stringify(numbers.map((number, at) => number - (numbers[at - 1] ?? 0)));
}

export function decodePlaces(places: string): readonly number[] {
  let at = 0;
  return (JSON.parse(places) as readonly number[]).map((distance) => {
    at += distance;
    return at;
  });
}

function toTuple(statement: PublishedStatement, share: (names: readonly string[]) => NamesRef): readonly unknown[] {
  const { advisory, vulnerabilities, feed, ranges, published, severities, versions, never, status } = statement;
  const { binaries, module, arches, subscription, malicious } = statement;
  const flags = (subscription ? SUBSCRIPTION : 0) | (malicious ? MALICIOUS : 0);
  const tuple: unknown[] = [
    advisory,
    vulnerabilities,
    feed,
    ranges.map(({ introduced = null, fixed = null, lastAffected = null }) => [introduced, fixed, lastAffected]),
    published ?? null,
    severities.length > 0 ? severities : null,
    versions.length > 0 ? versions : null,
    never ? 1 : null,
    status ?? null,
    binaries === undefined ? null : share(binaries),
    module ?? null,
    arches === undefined ? null : share(arches),
    flags === 0 ? null : flags,
  ];
  while (tuple.length > 4 && tuple.at(-1) === null) tuple.pop();
  return tuple;
}

function fromTuple(tuple: Encoded, listOf: (ref: NamesRef) => readonly string[]): PublishedStatement {
  const [advisory, vulnerabilities, feed, ranges, published, severities, versions, never, status] = tuple;
  const [, , , , , , , , , binaries, module, arches, flags] = tuple;
  return {
    advisory,
    vulnerabilities,
    feed,
    ranges: ranges.map(([introduced, fixed, lastAffected]) => ({
      ...(introduced === null ? {} : { introduced }),
      ...(fixed === null ? {} : { fixed }),
      ...(lastAffected === null ? {} : { lastAffected }),
    })),
    versions: versions ?? [],
    severities: severities ?? [],
    ...(never ? { never: true } : {}),
    ...(status ? { status } : {}),
    ...(published ? { published } : {}),
    ...(binaries === undefined || binaries === null ? {} : { binaries: listOf(binaries) }),
    ...(module ? { module } : {}),
    ...(arches === undefined || arches === null ? {} : { arches: listOf(arches) }),
    ...((flags ?? 0) & SUBSCRIPTION ? { subscription: true } : {}),
    ...((flags ?? 0) & MALICIOUS ? { malicious: true } : {}),
  };
}
