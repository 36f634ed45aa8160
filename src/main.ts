import { runCli } from './cli/main.ts';

/** Runs the command line and leaves its exit code with the process; `serve` returns when it has stopped. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await runCli(argv, {
    serve: async (config) => (await import('./app/serve.ts')).serve(config),
  });
}
