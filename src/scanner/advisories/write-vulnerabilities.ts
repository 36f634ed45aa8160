import type { DatabaseSync } from 'node:sqlite';
import type { SeverityStatement } from '../../model/severity.ts';

/** Feed whose records are those of the numbering authorities themselves. */
const AUTHORITY = 'cvelist';

interface Row {
  readonly feed: string;
  readonly severities: string | null;
  readonly published: string | null;
  readonly rejected: number;
}

/** Writes the facts about vulnerabilities, of all feeds together, from the attached `staging` database. Gives how many. */
export function writeVulnerabilities(db: DatabaseSync): number {
  const ids = db.prepare(
    `select ids.id, k.added, e.probability, e.percentile
     from (select id from staging.vulnerability union select id from staging.kev union select id from staging.epss) ids
     left join staging.kev k on k.id = ids.id
     left join staging.epss e on e.id = ids.id
     order by ids.id`,
  );
  const select = db.prepare(
    'select feed, severities, published, rejected from staging.vulnerability where id = ? order by feed',
  );
  const insert = db.prepare('insert into main.vulnerability values (?, ?, ?, ?, ?, ?, ?)');
  let count = 0;
  for (const row of ids.iterate()) {
    const { id, added, probability, percentile } = row as {
      id: string;
      added: string | null;
      probability: number | null;
      percentile: number | null;
    };
    const { severities, published, rejected } = merge(select.all(id) as unknown as readonly Row[]);
    const text = severities.length === 0 ? null : JSON.stringify(severities);
    insert.run(id, text, published, rejected, added, probability, percentile);
    count += 1;
  }
  return count;
}

/**
 * One set of facts from what several feeds say: every severity by its source, the authority's own where it speaks for itself;
 * rejected when the authority says so, or anybody else while it is silent; the earliest date.
 */
function merge(rows: readonly Row[]): {
  readonly severities: readonly SeverityStatement[];
  readonly published: string | null;
  readonly rejected: number;
} {
  const authority = rows.find(({ feed }) => feed === AUTHORITY);
  const own = severitiesOf(authority);
  const known = new Set(own.map(({ source }) => source));
  const assigned = own.some(({ source }) => source.startsWith('cna:'));
  const others = rows
    .filter((row) => row !== authority)
    .flatMap(severitiesOf)
    // NVD repeats what the assigner says, under an address instead of a name.
    .filter(({ source }) => !known.has(source) && !(assigned && source.startsWith('cna:')));
  const rejected = authority === undefined ? rows.some((row) => row.rejected === 1) : authority.rejected === 1;
  return {
    severities: rejected ? [] : [...own, ...others].sort((a, b) => (a.source < b.source ? -1 : 1)),
    published: rows.flatMap(({ published }) => published ?? []).sort()[0] ?? null,
    rejected: Number(rejected),
  };
}

function severitiesOf(row: Row | undefined): readonly SeverityStatement[] {
  return row?.severities ? (JSON.parse(row.severities) as readonly SeverityStatement[]) : [];
}
