import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { AdvisoryStatement } from '../matcher/lookup.ts';
import { decodeBody, decodePlaces } from './codec.ts';

/** Package rows looked through at once, so that nobody waits for all of them. */
const ROWS = 300;

type Mentioning = (ids: readonly string[]) => AsyncGenerator<AdvisoryStatement>;

/** Packages unpacked at once. */
const PACKAGES = 20;

/** Every statement, of whatever package, whose advisory or vulnerability is called one of these ids, in capitals or not. */
export function statementsNamed(db: DatabaseSync): Mentioning {
  const selectPlaces = db.prepare('select places from named where id in (select value from json_each(?))');
  const selectBody = db.prepare(
    'select p.body from place l join package p on p.ecosystem = l.ecosystem and p.name = l.name where l.number = ?',
  );
  return async function* named(ids) {
    const wanted = lowered(ids);
    const rows = selectPlaces.all(JSON.stringify([...wanted]));
    const places = new Set(rows.flatMap(({ places }) => decodePlaces(String(places))));
    for (const [at, place] of [...places].sort((a, b) => a - b).entries()) {
      const body = selectBody.get(place)?.['body'];
      if (typeof body === 'string') yield* calledSo(body, wanted);
      if (at % PACKAGES === PACKAGES - 1) await setImmediate();
    }
  };
}

/**
 * The same of a file of schema 2, which has no index for it: the text of all rows is looked through, about 2 ms for a megabyte however many
 * ids there are, with pauses for others.
 */
export function statementsMentioning(db: DatabaseSync): Mentioning {
  const selectPage = db.prepare(
    `select ecosystem, name, body from package where (ecosystem, name) > (?, ?) order by ecosystem, name limit ${ROWS}`,
  );
  return async function* mentioning(ids) {
    if (ids.length === 0) return;
    const wanted = lowered(ids);
    const written = new RegExp([...wanted].map((id) => literally(JSON.stringify(id))).join('|'), 'iu');
    let after: readonly [string, string] = ['', ''];
    for (;;) {
      const rows = selectPage.all(...after);
      for (const { body } of rows) if (written.test(String(body))) yield* calledSo(String(body), wanted);
      const last = rows.at(-1);
      if (rows.length < ROWS || !last) return;
      after = [String(last['ecosystem']), String(last['name'])];
      await setImmediate();
    }
  };
}

function lowered(ids: readonly string[]): ReadonlySet<string> {
  return new Set(ids.map((id) => id.toLowerCase()));
}

function* calledSo(body: string, wanted: ReadonlySet<string>): Generator<AdvisoryStatement> {
  for (const statement of decodeBody(body))
    if ([statement.advisory, ...statement.ids].some((id) => wanted.has(id.toLowerCase()))) yield statement;
}

/** As a part of a regular expression. */
function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
