import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { AdvisoryStatement } from '../matcher/lookup.ts';
import { decodeBody } from './codec.ts';

/** Package rows looked through at once, so that nobody waits for all of them. */
const ROWS = 300;

/**
 * Every statement, of whatever package, whose advisory or vulnerability is called one of these ids, in capitals or not. No index says so: the text
 * of all rows is looked through, about 2 ms for a megabyte however many ids there are, with pauses for others.
 */
export function statementsMentioning(db: DatabaseSync): (ids: readonly string[]) => AsyncGenerator<AdvisoryStatement> {
  const selectPage = db.prepare(
    `select ecosystem, name, body from package where (ecosystem, name) > (?, ?) order by ecosystem, name limit ${ROWS}`,
  );
  return async function* mentioning(ids) {
    if (ids.length === 0) return;
    const wanted = new Set(ids.map((id) => id.toLowerCase()));
    const written = new RegExp([...wanted].map((id) => literally(JSON.stringify(id))).join('|'), 'iu');
    let after: readonly [string, string] = ['', ''];
    for (;;) {
      const rows = selectPage.all(...after);
      for (const { body } of rows)
        if (written.test(String(body)))
          for (const statement of decodeBody(String(body)))
            if ([statement.advisory, ...statement.ids].some((id) => wanted.has(id.toLowerCase()))) yield statement;
      const last = rows.at(-1);
      if (rows.length < ROWS || !last) return;
      after = [String(last['ecosystem']), String(last['name'])];
      await setImmediate();
    }
  };
}

/** As a part of a regular expression. */
function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
