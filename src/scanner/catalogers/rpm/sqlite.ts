import type { FileView } from '../../file-view.ts';
import { MOST_RECORDS, type Report } from './blob-reader.ts';
import { openSqlite, type SqliteFile } from './sqlite-file.ts';
import { integerOf, valuesOf } from './sqlite-record.ts';
import { readTable } from './sqlite-table.ts';

/** Page of the table that lists all others. */
const SCHEMA = 1;
const MOST_TABLES = 10_000;
const TABLE = 'Packages';

/** Headers in a SQLite database, `rpmdb.sqlite`: the second column of its table `Packages`. */
export function* readSqlite(file: FileView, report: Report): Generator<Buffer> {
  const database = openSqlite(file);
  if (typeof database === 'string') return report(database);
  const root = rootOf(database, report);
  if (root === undefined) return report(`it has no table ${TABLE}`);
  for (const record of readTable(database, root, MOST_RECORDS, report)) {
    const blob = valuesOf(record)[1];
    if (blob?.kind === 'blob') yield blob.bytes;
    else report('a record has no header');
  }
}

/** Where the table begins, from its row in the schema: type, name, table, page, SQL. */
function rootOf(database: SqliteFile, report: Report): number | undefined {
  for (const record of readTable(database, SCHEMA, MOST_TABLES, report)) {
    const [type, name, , page] = valuesOf(record);
    if (type?.bytes.toString('latin1') !== 'table' || name?.bytes.toString('latin1') !== TABLE) continue;
    return page && integerOf(page);
  }
  return undefined;
}
