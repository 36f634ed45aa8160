import { enableCompileCache } from 'node:module';
import { codeFolder } from './folders.ts';

/** Runs the command line and leaves its exit code with the process; `serve` returns when it has stopped. */
export async function main(argv: readonly string[]): Promise<void> {
  enableCompileCache(codeFolder());
  // Only what is loaded from here on is cached.
  const { runCli } = await import('./cli/main.ts');
  const code = await runCli(argv, {
    serve: async (config) => (await import('./app/serve.ts')).serve(config),
    serveGuard: async (config) => (await import('./app/guard-serve.ts')).serveGuard(config),
    openBlobs: async (config) => (await import('./app/open-storage.ts')).openBlobs(config),
    openStorage: async (config) => (await import('./app/open-storage.ts')).openStorage(config),
  });
  // Standard output may have failed since.
  process.exitCode ??= code;
}
