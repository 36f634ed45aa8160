import type { Command } from 'commander';
import { foldersOf } from '../folders.ts';
import { VERSION } from '../platform/version.ts';
import type { Cli, Programs } from './cli.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { watchStandardOutput } from './standard-output.ts';

interface Noun {
  readonly summary: string;
  /** Loads the command with what it needs, and nothing of the other nouns. */
  load(): Promise<(cli: Cli) => Command>;
}

/** Every first word, in the order of the help. */
const NOUNS: Readonly<Record<string, Noun>> = {
  serve: {
    summary: 'run the registry, scanner, gate, webhook and audit',
    load: async () => (await import('./commands/serve.ts')).serveCommand,
  },
  login: {
    summary: 'check and keep the address and password of a server',
    load: async () => (await import('./commands/login.ts')).loginCommand,
  },
  logout: {
    summary: 'forget what login kept',
    load: async () => (await import('./commands/login.ts')).logoutCommand,
  },
  project: {
    summary: 'projects: what is blocked in them, members, upstreams, quotas',
    load: async () => (await import('./commands/project.ts')).projectCommand,
  },
  user: { summary: 'accounts', load: async () => (await import('./commands/user.ts')).userCommand },
  robot: {
    summary: 'accounts for machines',
    load: async () => (await import('./commands/robot.ts')).robotCommand,
  },
  notify: {
    summary: 'who is told of what happens: webhooks, mail, Slack, tickets',
    load: async () => (await import('./commands/notify.ts')).notifyCommand,
  },
  policy: {
    summary: 'the whole policy of a project, and its history',
    load: async () => (await import('./commands/policy.ts')).policyCommand,
  },
  simulate: {
    summary: 'what would be blocked or allowed, and when, before anything is changed',
    load: async () => (await import('./commands/simulate.ts')).simulateCommand,
  },
  verdict: {
    summary: 'may this image be pulled, and why not?',
    load: async () => (await import('./commands/verdict.ts')).verdictCommand,
  },
  rescan: {
    summary: 'analyse stored images again, or what could not be analysed',
    load: async () => (await import('./commands/rescan.ts')).rescanCommand,
  },
  finding: {
    summary: 'vulnerabilities of everything that is stored, and where they are',
    load: async () => (await import('./commands/finding.ts')).findingCommand,
  },
  why: {
    summary: 'why, who said so, and which smallest change unblocks it',
    load: async () => (await import('./commands/why.ts')).whyCommand,
  },
  scan: {
    summary: 'look into an image without a server',
    load: async () => (await import('./commands/scan.ts')).scanCommand,
  },
  sbom: {
    summary: 'the bill of materials of a stored image',
    load: async () => (await import('./commands/sbom.ts')).sbomCommand,
  },
  db: { summary: 'the advisory database', load: async () => (await import('./commands/db.ts')).dbCommand },
  trust: {
    summary: 'trusted sources and their risk analyses',
    load: async () => (await import('./commands/trust.ts')).trustCommand,
  },
  quarantine: {
    summary: 'what may run nowhere: contents and versions of packages',
    load: async () => (await import('./commands/quarantine.ts')).quarantineCommand,
  },
  exception: {
    summary: 'dated exceptions from the policy',
    load: async () => (await import('./commands/exception.ts')).exceptionCommand,
  },
  vex: {
    summary: 'what authors of VEX say, and what is said to others',
    load: async () => (await import('./commands/vex.ts')).vexCommand,
  },
  guard: { summary: 'what a cluster needs', load: async () => (await import('./commands/guard.ts')).guardCommand },
  gator: {
    summary: 'test constraints without a cluster, in the format of gator',
    load: async () => (await import('./commands/gator.ts')).gatorCommand,
  },
  audit: { summary: 'what runs in the cluster', load: async () => (await import('./commands/audit.ts')).auditCommand },
  violations: {
    summary: 'what breaks the constraints of clusters',
    load: async () => (await import('./commands/violations.ts')).violationsCommand,
  },
  gc: {
    summary: 'giving up what nothing refers to any more',
    load: async () => (await import('./commands/gc.ts')).gcCommand,
  },
  retention: {
    summary: 'which tags a project keeps',
    load: async () => (await import('./commands/retention.ts')).retentionCommand,
  },
  mirror: {
    summary: 'copy images from other registries',
    load: async () => (await import('./commands/mirror.ts')).mirrorCommand,
  },
  import: {
    summary: 'move from another registry, with everything in it',
    load: async () => (await import('./commands/import.ts')).importCommand,
  },
  backup: {
    summary: 'the data folder, while its server runs, and back again',
    load: async () => (await import('./commands/backup.ts')).backupCommand,
  },
  evidence: {
    summary: 'reports for auditors',
    load: async () => (await import('./commands/evidence.ts')).evidenceCommand,
  },
  ledger: { summary: 'who did what', load: async () => (await import('./commands/ledger.ts')).ledgerCommand },
};

const EXAMPLES = `
Examples:
  breakwater serve
  breakwater login http://127.0.0.1:8080
  breakwater project create front --block high
  breakwater verdict front/alpine:3.20
  breakwater scan alpine.tar

Exit codes: 0 done; 1 the verdict blocks, --fail-on is reached, evidence is broken or something was left behind; 2 wrong usage; 3 anything else.
Settings: BREAKWATER_URL, BREAKWATER_USER, BREAKWATER_PASSWORD, or what "breakwater login" kept.`;

/**
 * Runs one command line (without `node` and the script) and gives its exit code. Only the modules of the command that is
 * named are loaded.
 */
export async function runCli(argv: readonly string[], programs: Programs = {}): Promise<number> {
  const isOutWhole = watchStandardOutput(note);
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${VERSION}\n`);
    return EXIT.ok;
  }
  let code: ExitCode = EXIT.ok;
  const cli: Cli = {
    print: (text) => void process.stdout.write(`${text}\n`),
    note,
    exitWith: (chosen) => {
      code = chosen;
    },
    // Made when they are asked for: every stream takes its time.
    get input() {
      return process.stdin;
    },
    get screen() {
      return process.stderr;
    },
    get output() {
      return process.stdout;
    },
    config: settings,
    folders: async () => foldersOf() ?? settings(),
    programs,
  };
  const failed = await run(argv, cli);
  return isOutWhole() ? (failed ?? code) : EXIT.failure;
}

async function settings() {
  return (await import('../config.ts')).loadConfig();
}

/** Gives an exit code when the command failed, undefined when it ran to its end. */
async function run(argv: readonly string[], cli: Cli): Promise<ExitCode | undefined> {
  const { Command, CommanderError } = await import('commander');
  const program = new Command('breakwater')
    .description('Keeps vulnerable and untrusted container images out of Kubernetes clusters, and can prove it.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'breakwater:')) })
    .showHelpAfterError('Add --help to see what there is.')
    // Options of sub-commands are theirs, whatever the program calls its own: `--version`.
    .enablePositionalOptions()
    // Commander's own `process.exit` would cut off output that is under way.
    .exitOverride();
  const wanted = argv.find((word) => !word.startsWith('-'));
  for (const [name, noun] of Object.entries(NOUNS)) {
    if (name === wanted) program.addCommand((await noun.load())(cli));
    else program.command(name).description(noun.summary);
  }
  passOn(program);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return (await import('./report-error.ts')).reportError(error, cli);
  }
}

/** Commands that were made apart know nothing of the settings of the program yet. */
function passOn(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command).helpCommand(false);
    passOn(child);
  }
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
