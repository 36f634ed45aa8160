import { expect, it } from 'vitest';
import { changeOf, createChanges } from './changes.ts';

it.each([
  ['select "id" from "users"', 'nothing'],
  ['begin', 'nothing'],
  ['commit', 'nothing'],
  ['pragma wal_checkpoint(truncate)', 'nothing'],
  ['pragma user_version = 1', 'anything'],
  ['insert into "users" ("id") values (?)', { table: 'users' }],
  ['update "jobs" set "id" = ? where "id" = (select "id" from "users")', { table: 'jobs' }],
  ['delete from "uploads" where "id" = ?', { table: 'uploads' }],
  ['insert or replace into "users" values (?)', 'anything'],
  ['with "x" as (select 1) delete from "users"', 'anything'],
  ['update users set id = ?', { table: 'users' }],
  ['insert into users (id) values (?)', { table: 'users' }],
  ['update or ignore users set id = ?', 'anything'],
  ['insert into "main"."users" values (?)', 'anything'],
  ['update main.users set id = ?', 'anything'],
  ['drop table "users"', 'anything'],
  [' select 1', 'anything'],
])('reads off %j what it may change', (sql, change) => {
  expect(changeOf(sql)).toEqual(change);
});

it('counts for each table what changed it, and what may have changed any', () => {
  const changes = createChanges();
  for (const change of ['nothing', { table: 'users' }, { table: 'jobs' }, 'anything', { table: 'jobs' }] as const)
    changes.note(change);
  expect([
    changes.total(),
    changes.of(['users']),
    changes.of(['jobs']),
    changes.of(['users', 'jobs']),
    changes.of([]),
  ]).toEqual([4, 2, 3, 4, 1]);
});
