/** What a statement may change: nothing, one table, or whatever there is. */
export type Change = 'nothing' | 'anything' | { readonly table: string };

const CHANGES_NOTHING = /^(?:(?:select|begin|commit|rollback|savepoint|release)\b|pragma wal_checkpoint\b)/i;
const WRITES = /^(?:insert into|update|delete from) (?:"(\w+)"|(?!or\b)(\w+))(?=[\s(]|$)/i;

/** Reads it off the beginning of a statement as Kysely, or one of us, writes it. No keys cascade, and triggers write to `guard_changes` alone. */
export function changeOf(sql: string): Change {
  if (CHANGES_NOTHING.test(sql)) return 'nothing';
  const [, quoted, plain] = WRITES.exec(sql) ?? [];
  const table = quoted ?? plain;
  return table === undefined ? 'anything' : { table };
}

/** Counts changes by table. */
export interface Changes {
  readonly note: (change: Change) => void;
  readonly total: () => number;
  /** Of any of these tables. */
  readonly of: (tables: readonly string[]) => number;
}

export function createChanges(): Changes {
  const byTable = new Map<string, number>();
  let total = 0;
  let ofAnything = 0;
  return {
    note(change) {
      if (change === 'nothing') return;
      total += 1;
      if (change === 'anything') ofAnything += 1;
      else byTable.set(change.table, (byTable.get(change.table) ?? 0) + 1);
    },
    total: () => total,
    of: (tables) => tables.reduce((sum, table) => sum + (byTable.get(table) ?? 0), ofAnything),
  };
}
