import { Command, InvalidArgumentError, Option } from 'commander';
import type { Cli } from '../cli.ts';
import type { BenchCommandOptions } from '../gator/bench.ts';
import type { ExpandOptions } from '../gator/expand.ts';
import type { TestOptions } from '../gator/test.ts';
import type { VerifyOptions } from '../gator/verify.ts';

const EXAMPLES = `
Examples:
  breakwater gator verify tests/...
  breakwater gator verify tests/... --run forbid-latest//nginx
  breakwater gator test -f policies/ -f deployment.yaml -o json
  breakwater gator expand -n deployment.yaml -n expansion.yaml
  breakwater gator bench -f policies/ -f pods/

Exit codes are gator's: 0 all is well; 1 a test failed, something is denied, or the input is wrong.`;

/** `breakwater gator …`. */
export function gatorCommand(cli: Cli): Command {
  const gator = new Command('gator')
    .description('test constraints without a cluster, in the format of gator')
    .addHelpText('after', EXAMPLES);
  common(gator.command('verify'))
    .description('run suites of tests')
    .argument('<paths...>', 'suites, folders of them, or with /... at the end all below a folder')
    .option('-r, --run <expression>', 'only tests and cases with these names: EXPRESSION or TEST//CASE', '')
    .option('-v, --verbose', 'print every test and case', false)
    .option('--breakwater', 'judge as the guard does, not as Gatekeeper', false)
    .option('--library', 'pass over suites of templates that are not ours, and count them', false)
    .action(async (paths: string[], options: VerifyOptions) => {
      await (await import('../gator/verify.ts')).verify(cli, paths, options);
    });
  withSources(common(gator.command('test')), '-f, --filename <path>')
    .description('judge objects by the templates and constraints among them')
    .option('-o, --output <form>', 'json or yaml', '')
    .option('--deny-only', 'print only what is denied', false)
    .option('-v, --verbose', 'accepted as in gator; there are no prints of Rego to show', false)
    .action(async (options: TestOptions) => {
      await (await import('../gator/test.ts')).test(cli, options);
    });
  withSources(gator.command('expand'), '-n, --filename <path>')
    .description('print what objects make by the ExpansionTemplates among them')
    .option('-f, --format <form>', 'yaml or json', 'yaml')
    .option('-o, --outputfile <path>', 'write it to a file', '')
    .action(async (options: ExpandOptions) => {
      await (await import('../gator/expand.ts')).expand(cli, options);
    });
  withSources(gator.command('bench'), '-f, --filename <path>')
    .description('measure how fast constraints are judged')
    .option('-e, --engine <name>', 'breakwater, the only engine here; rego and all mean it too', 'breakwater')
    .option('-n, --iterations <count>', 'how often every object is judged', whole, 1000)
    .option('--warmup <count>', 'how often before that', whole, 10)
    .option('-c, --concurrency <count>', 'threads that judge side by side', whole, 1)
    .option('-o, --output <form>', 'table, json or yaml', 'table')
    .option('--memory', 'also the bytes a review allocates', false)
    .option('--save <path>', 'keep the results as a baseline', '')
    .option('--compare <path>', 'compare with a baseline and fail when it is worse', '')
    .option('--threshold <percent>', 'how much worse it may be', number, 10)
    .option('--min-threshold <duration>', 'smallest difference in latency that counts, such as 1ms', '0')
    .action(async (options: BenchCommandOptions) => {
      await (await import('../gator/bench.ts')).bench(cli, options);
    });
  return gator;
}

/** Flags of gator that change nothing here, so that its command lines can be kept. */
function common(command: Command): Command {
  return command
    .option('-t, --trace', 'accepted as in gator; no Rego is evaluated, so there is no trace', false)
    .addOption(new Option('--enable-k8s-native-validation [value]').hideHelp())
    .addOption(new Option('--default-failure-policy-for-k8s-native-validation <policy>').hideHelp());
}

function withSources(command: Command, flag: string): Command {
  return command
    .option(
      flag,
      'a file or folder of objects; may be given several times',
      (path: string, before: string[]) => [...before, path],
      [],
    )
    .addOption(new Option('-i, --image <reference>').argParser(noImages).hideHelp())
    .addOption(new Option('-d, --tempdir <path>').hideHelp());
}

function noImages(): never {
  throw new InvalidArgumentError(
    'policies in OCI images are not fetched here; unpack them (for example with "oras pull") and name the folder with --filename.',
  );
}

function whole(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('it must be a whole number.');
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('it must be a number, and not negative.');
}
