import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';

/** `breakwater serve`: everything in this process, until SIGTERM or SIGINT. */
export function serveCommand(cli: Cli): Command {
  return new Command('serve')
    .description('run the registry, scanner, gate, webhook and audit until SIGTERM or SIGINT')
    .addHelpText(
      'after',
      `
Settings come from the environment or the file named by BREAKWATER_CONFIG, for example:
  BREAKWATER_LISTEN=0.0.0.0:8080 BREAKWATER_DATA_DIR=/var/lib/breakwater breakwater serve`,
    )
    .action(async () => {
      const { programs } = cli;
      if (!programs.serve) throw new CliError('failed', 'this program was started without its server');
      await programs.serve(await cli.config());
    });
}
