import { Command, Option } from 'commander';
import { systemClock } from '../../platform/clock.ts';
import type { Threshold } from '../../policy/policy.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit.ts';
import { type OutputOptions, printAs, withOutput } from '../output.ts';
import { withSourceAccess } from '../registry-end.ts';
import type { TargetOptions } from '../scan/target.ts';

const LEVELS = ['none', 'low', 'medium', 'high', 'critical'] as const satisfies readonly Threshold[];

interface ScanOptions extends OutputOptions, TargetOptions {
  readonly db?: string;
  readonly failOn?: (typeof LEVELS)[number];
}

/** `breakwater scan TARGET`: what is in an image, what is known about it, and a verdict; needs no server. */
export function scanCommand(cli: Cli): Command {
  const command = new Command('scan')
    .description('look into an image without a server: packages, vulnerabilities, verdict')
    .argument('<target>', 'docker archive, OCI archive or layout folder, root file system, or image reference')
    .option('--db <file>', 'advisory database to use instead of the installed one')
    .option('--platform <os/arch>', 'which image to take from one for several platforms')
    .addOption(
      new Option('--fail-on <level>', 'end with 1 when a finding is at least this severe').choices([...LEVELS]),
    );
  return withSourceAccess(withOutput(command))
    .addHelpText(
      'after',
      `
Without --db the advisories of the data folder are used, else the ones that ship with the program.

Examples:
  breakwater scan alpine.tar
  breakwater scan ./rootfs --fail-on high
  breakwater scan docker.io/library/busybox:1.36 --platform linux/arm64 -o json`,
    )
    .action(async (target: string, options: ScanOptions) => {
      const [{ analyseTarget }, { openAdvisories }, { scanReport }] = await Promise.all([
        import('../scan/target.ts'),
        import('../scan/advisories.ts'),
        import('../scan/report.ts'),
      ]);
      // Before the long part: a bad database must not cost a download first.
      const advisories = await openAdvisories(await cli.config(), options.db);
      try {
        const now = systemClock.now();
        const analysed = await analyseTarget(cli, target, options);
        const { database } = advisories;
        const report = scanReport({ target: analysed, database, failOn: options.failOn ?? 'off', now });
        const { renderScan } = await import('../scan/render.ts');
        printAs(cli, options, report, () => renderScan(report, now));
        if (options.failOn !== undefined && report.verdict.kind === 'block') cli.exitWith(EXIT.negative);
      } finally {
        await advisories.close();
      }
    });
}
