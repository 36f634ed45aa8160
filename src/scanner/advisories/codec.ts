import type { FindingStatus } from '../../model/finding.ts';
import type { SeverityStatement } from '../../model/severity.ts';
import type { PublishedStatement } from '../feeds/advisory.ts';
import type { AdvisoryStatement } from '../matcher/lookup.ts';

/** A range as [introduced, fixed, last affected], null where absent. */
type EncodedRange = readonly [string | null, string | null, string | null];

/** A statement as a tuple; the last five may be missing. Order is part of the file format. */
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
];

/** Compact JSON text of one statement. Equal statements give equal text. */
export function encodeStatement(statement: PublishedStatement): string {
  const { advisory, vulnerabilities, feed, ranges, published, severities, versions, never, status } = statement;
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
  ];
  while (tuple.length > 4 && tuple.at(-1) === null) tuple.pop();
  return JSON.stringify(tuple);
}

/** The statement of one encoded text. */
export function decodeStatement(text: string): PublishedStatement {
  return fromTuple(JSON.parse(text) as Encoded);
}

/** Body of a package row: the encoded statements as one JSON array. */
export function encodeBody(statements: readonly string[]): string {
  return `[${statements.join(',')}]`;
}

/** The statements of a package row, one per vulnerability. */
export function decodeBody(body: string): readonly AdvisoryStatement[] {
  return (JSON.parse(body) as readonly Encoded[]).flatMap((tuple) => {
    const { vulnerabilities, ...rest } = fromTuple(tuple);
    return vulnerabilities.map((ids) => ({ ...rest, ids }));
  });
}

function fromTuple(tuple: Encoded): PublishedStatement {
  const [advisory, vulnerabilities, feed, ranges, published, severities, versions, never, status] = tuple;
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
  };
}
