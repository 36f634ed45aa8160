import type { Engine } from './engine.ts';

/** What the engines name or do differently. Asked for by ability, never by name, outside this folder. */
export interface Capabilities {
  /** Column type for raw bytes. */
  readonly bytes: string;
  /** Column type for 64-bit integers: times, sizes, counters. */
  readonly integer: string;
  /** Column type of a generated, ascending integer key. */
  readonly serial: string;
  /** Text that sorts and compares bytewise, whatever the locale of the server: names and tags. */
  readonly name: string;
  /** Column type for floating point numbers of 64 bits. */
  readonly real: string;
  /** Ends the definition of a table that is kept in the order of its primary key, where there is such a thing. */
  readonly clustered: string;
  /** `select … for update skip locked` exists; without it there is one writer at a time anyway. */
  readonly skipLocked: boolean;
  /** Kysely's migrator runs migrations in a transaction. */
  readonly transactionalMigrations: boolean;
}

export function capabilitiesOf(engine: Engine): Capabilities {
  return engine === 'sqlite'
    ? {
        bytes: 'blob',
        integer: 'integer',
        serial: 'integer',
        name: 'text',
        real: 'real',
        clustered: 'without rowid',
        skipLocked: false,
        transactionalMigrations: false,
      }
    : {
        bytes: 'bytea',
        integer: 'bigint',
        serial: 'bigserial',
        name: 'text collate "C"',
        real: 'double precision',
        clustered: '',
        skipLocked: true,
        transactionalMigrations: true,
      };
}
