import type { Compilable, CompiledQuery } from 'kysely';
import type { Db } from './database.ts';
import { directOf } from './sqlite.ts';

/** What a statement gave. */
export interface Answer<Row> {
  readonly rows: readonly Row[];
  /** Rows that were inserted, updated or deleted. */
  readonly changed: number;
}

/** Stands for a value that is only known when the statement is run: of which of the given rows, and by which name. */
class Placeholder {
  readonly row: number;
  readonly name: string;

  constructor(row: number, name: string) {
    this.row = row;
    this.name = name;
  }
}

/** Lists longer than this are seldom as long as one before, so that their text is not kept. */
const LONGEST_KEPT = 32;

/**
 * A statement of a hot path, whose text is made once for each database: building it with Kysely takes longer than SQLite does to answer it.
 * `make` gets stand-ins for the values: it can hand them on to Kysely, and do nothing else with them. Its text must be the same for all values,
 * null among them, so `is null` is not for it. On SQLite it is run without the turns that Kysely's own way takes.
 */
export function statement<Values extends object, Row>(
  make: (db: Db, values: Values) => Compilable<Row>,
): (db: Db, values: Values) => Promise<Answer<Row>> {
  const made = createTexts<Row>();
  return (db, values) =>
    run(
      db,
      made(db, () => make(db, standIn(0) as Values)),
      [values],
    );
}

/** The same for a list of rows that is not empty, with a text for each length. Long lists must come in `batches`. */
export function statementOfRows<Values extends object, Row>(
  make: (db: Db, rows: readonly Values[]) => Compilable<Row>,
): (db: Db, rows: readonly Values[]) => Promise<Answer<Row>> {
  const byLength = new Map<number, ReturnType<typeof createTexts<Row>>>();

  function madeFor(length: number): ReturnType<typeof createTexts<Row>> {
    const known = byLength.get(length);
    if (known) return known;
    const made = createTexts<Row>();
    if (length <= LONGEST_KEPT) byLength.set(length, made);
    return made;
  }

  return (db, rows) =>
    run(
      db,
      madeFor(rows.length)(db, () =>
        make(
          db,
          rows.map((_, at) => standIn(at) as Values),
        ),
      ),
      rows,
    );
}

/** Keeps the text of a statement for each database: engines differ in it. */
function createTexts<Row>(): (db: Db, make: () => Compilable<Row>) => CompiledQuery<Row> {
  const made = new WeakMap<object, CompiledQuery<Row>>();
  return (db, make) => {
    const { adapter, plugins } = db.getExecutor();
    const known = made.get(adapter);
    // Plugins may make another statement of it.
    if (plugins.length > 0) return make().compile();
    if (known) return known;
    const compiled = make().compile();
    made.set(adapter, compiled);
    return compiled;
  };
}

function standIn(row: number): object {
  return new Proxy({}, { get: (_, name) => new Placeholder(row, String(name)) });
}

async function run<Row>(db: Db, compiled: CompiledQuery<Row>, given: readonly object[]): Promise<Answer<Row>> {
  const parameters = compiled.parameters.map((value) =>
    value instanceof Placeholder ? (given[value.row] as Readonly<Record<string, unknown>>)[value.name] : value,
  );
  const direct = directOf(db);
  const { rows, numAffectedRows } = direct
    ? await direct<Row>(compiled.sql, parameters, db.isTransaction)
    : await db.executeQuery<Row>({ ...compiled, parameters });
  return { rows, changed: Number(numAffectedRows ?? 0) };
}
