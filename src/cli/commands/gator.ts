import { Command } from 'commander';
import type { Cli } from '../cli.ts';

/** `breakwater gator …`. */
export function gatorCommand(cli: Cli): Command {
  const gator = new Command('gator').description('test constraints without a cluster, in the format of gator');
  gator
    .command('verify')
    .description('run suites of tests')
    .argument('<paths...>', 'suites, folders of them, or with /... at the end all below a folder')
    .option('-r, --run <expression>', 'only tests and cases with these names: EXPRESSION or TEST//CASE', '')
    .option('-v, --verbose', 'print every test and case', false)
    .action(async (paths: string[], options: { run: string; verbose: boolean }) => {
      const { verify } = await import('../gator/verify.ts');
      await verify(cli, paths, options);
    });
  return gator;
}
