import { unavailable } from './errors.ts';

/** SQLite's primary result codes (sqlite3.h) that are about where the file lies and not about the query. */
const TROUBLE: Readonly<Record<number, string>> = {
  5: 'another program holds the database file',
  8: 'the database cannot be written to: its disk is read-only',
  10: 'the disk of the database fails',
  13: 'the disk of the database is full',
  14: 'the database file cannot be opened',
};
const SYNC: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk of the database is full',
  EDQUOT: 'the disk of the database is full',
  EROFS: 'the database cannot be written to: its disk is read-only',
};

/** What a failure of SQLite, or of the sync of its log, is thrown as. Anything that is the query's fault stays as it is. */
export function sqliteFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if ('errcode' in error && typeof error.errcode === 'number') {
    const sentence = TROUBLE[error.errcode & 0xff];
    return sentence === undefined ? error : unavailable(sentence, error);
  }
  if ('syscall' in error && 'code' in error)
    return unavailable(SYNC[String(error.code)] ?? `the disk of the database fails (${String(error.code)})`, error);
  return error;
}
