import type { FindingStatus } from '../../model/finding.ts';
import type { SeverityStatement } from '../../model/severity.ts';
import type { PublishedStatement } from '../feeds/advisory.ts';
import type { AdvisoryStatement } from '../matcher/lookup.ts';

/** A range as [introduced, fixed, last affected], null where absent. */
type EncodedRange = readonly [string | null, string | null, string | null];
/** A list of names: itself, or in the body of a package its place among the lists that statements share. */
type Names = readonly string[] | number;

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
  binaries?: Names | null,
  module?: string | null,
  arches?: Names | null,
  flags?: number | null,
];

/** Bits of `flags`. */
const SUBSCRIPTION = 1;
const MALICIOUS = 2;

/** Compact JSON text of one statement. Equal statements give equal text. */
export function encodeStatement(statement: PublishedStatement): string {
  return JSON.stringify(toTuple(statement, (names) => names));
}

/** The statement of one encoded text. */
export function decodeStatement(text: string): PublishedStatement {
  return fromTuple(JSON.parse(text) as Encoded, []);
}

/** Body of a package row: the lists of names that its statements share, each once, and the statements. */
export function encodeBody(statements: readonly PublishedStatement[]): string {
  const lists = new Map<string, number>();
  const share = (names: readonly string[]): number => {
    const text = JSON.stringify(names);
    const at = lists.get(text) ?? lists.size;
    lists.set(text, at);
    return at;
  };
  const tuples = statements.map((statement) => toTuple(statement, share));
  return `[[${[...lists.keys()].join(',')}],${JSON.stringify(tuples)}]`;
}

/** The statements of a package row, one per vulnerability. */
export function decodeBody(body: string): readonly AdvisoryStatement[] {
  const [lists, tuples] = JSON.parse(body) as readonly [readonly (readonly string[])[], readonly Encoded[]];
  return tuples.flatMap((tuple) => {
    const { vulnerabilities, ...rest } = fromTuple(tuple, lists);
    return vulnerabilities.map((ids) => ({ ...rest, ids }));
  });
}

function toTuple(statement: PublishedStatement, share: (names: readonly string[]) => Names): readonly unknown[] {
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

function fromTuple(tuple: Encoded, lists: readonly (readonly string[])[]): PublishedStatement {
  const [advisory, vulnerabilities, feed, ranges, published, severities, versions, never, status] = tuple;
  const [binaries, module, arches, flags] = tuple.slice(9) as [
    (Names | null)?,
    (string | null)?,
    (Names | null)?,
    (number | null)?,
  ];
  const namesOf = (names: Names): readonly string[] => (typeof names === 'number' ? (lists[names] ?? []) : names);
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
    ...(binaries === undefined || binaries === null ? {} : { binaries: namesOf(binaries) }),
    ...(module ? { module } : {}),
    ...(arches === undefined || arches === null ? {} : { arches: namesOf(arches) }),
    ...((flags ?? 0) & SUBSCRIPTION ? { subscription: true } : {}),
    ...((flags ?? 0) & MALICIOUS ? { malicious: true } : {}),
  };
}
