import type { DatabaseConnection } from 'kysely';
import { isUnavailable } from './errors.ts';

/** Makes what a driver throws into what the rest of the program understands, and remembers that there was trouble. */
export interface Failures {
  /** What to throw instead. */
  translate(error: unknown): unknown;
  /** Does it, and throws what it became. */
  during<Result>(work: () => Promise<Result>): Promise<Result>;
  /** The same for everything that is asked over a connection; may be called again for the same one. */
  watch<Connection extends DatabaseConnection>(connection: Connection): Connection;
  /** The database did not work when it was used last. */
  seen(): boolean;
  /** It has been found to work. */
  forget(): void;
}

export function createFailures(meaning: (error: unknown) => unknown): Failures {
  let trouble = false;
  const watched = new WeakSet<DatabaseConnection>();

  function translate(error: unknown): unknown {
    const failure = meaning(error);
    if (isUnavailable(failure)) trouble = true;
    return failure;
  }

  async function during<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw translate(error);
    }
  }

  return {
    translate,
    during,
    watch(connection) {
      if (watched.has(connection)) return connection;
      watched.add(connection);
      const execute = connection.executeQuery.bind(connection);
      Object.assign(connection, {
        executeQuery: (...query: Parameters<DatabaseConnection['executeQuery']>) => during(() => execute(...query)),
      });
      return connection;
    },
    seen: () => trouble,
    forget() {
      trouble = false;
    },
  };
}
