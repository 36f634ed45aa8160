import { Command, Option } from 'commander';
import { systemClock } from '../../platform/clock.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit.ts';
import { withSourceAccess } from '../registry-end.ts';
import { SCAN_FORMS, type ScanForm } from '../scan/forms.ts';
import { FAIL_ON, type FailOn } from '../scan/scan-policy.ts';
import { REFERRERS, type TargetOptions } from '../scan/target-options.ts';

interface ScanOptions extends TargetOptions {
  readonly output: ScanForm;
  readonly out?: string;
  readonly db?: string;
  readonly failOn?: FailOn;
  readonly onlyFixable?: boolean;
  /** False when none is wanted. */
  readonly ignoreFile?: string | false;
}

/** `breakwater scan TARGET`: what is in an image, what is known about it, and a verdict; needs no server. */
export function scanCommand(cli: Cli): Command {
  const command = new Command('scan')
    .description('look into an image without a server: packages, vulnerabilities, verdict')
    .argument('<target>', 'docker archive, OCI archive or layout folder, root file system, SBOM, or image reference')
    .addOption(new Option('-o, --output <form>', 'how to print it').choices([...SCAN_FORMS]).default('text'))
    .option('--out <file>', 'file to write in that form; the text is still printed')
    .option('--db <file>', 'advisory database to use instead of the installed one')
    .option('--image <name>', 'which image to take from an archive or layout of several: name, tag or digest')
    .option('--platform <os/arch>', 'which image to take from one for several platforms')
    .addOption(
      new Option(
        '--fail-on <level>',
        'end with 1 when a finding is at least this severe, any at all, or known to be exploited',
      ).choices([...FAIL_ON]),
    )
    .option('--only-fixable', 'leave out what has no fixed version')
    .option('--ignore-file <file>', 'lines ID [package] [until=YYYY-MM-DD] [# reason] that do not count')
    .option('--no-ignore-file', 'do not read the .breakwaterignore of this folder')
    .option(
      '--vex <file>',
      'VEX statements (OpenVEX, CSAF, CycloneDX), may be repeated; "referrers" = what is attached to the image, unverified',
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    );
  return withSourceAccess(command)
    .addHelpText(
      'after',
      `
Without --db the advisories of the data folder are used, else the ones that ship with the program.

Exit codes: 0 done; 1 --fail-on is reached, or the image cannot be judged under it; 2 wrong usage; 3 it could not be scanned.

Examples:
  breakwater scan alpine.tar
  breakwater scan ./rootfs --fail-on high --only-fixable
  breakwater scan alpine.tar -o sarif --out alpine.sarif
  breakwater scan docker.io/library/busybox:1.36 --platform linux/arm64 -o json`,
    )
    .action((target: string, options: ScanOptions) => scan(cli, target, options));
}

async function scan(cli: Cli, name: string, options: ScanOptions): Promise<void> {
  const [
    { analyseTarget },
    { openAdvisories },
    { judgeScan },
    { readIgnoreFile },
    { writeScan },
    { paperOf },
    { expectPlaceFor, writeWhole },
  ] = await Promise.all([
    import('../scan/target.ts'),
    import('../scan/advisories.ts'),
    import('../scan/report.ts'),
    import('../scan/ignore-file.ts'),
    import('../scan/forms.ts'),
    import('../scan/paper.ts'),
    import('../write-whole.ts'),
  ]);
  // Before the long part: a bad database or ignore file must not cost a download first.
  if (options.out !== undefined) await expectPlaceFor(options.out);
  const ignoreFile = await readIgnoreFile(options.ignoreFile);
  const statements = options.vex ? await vexStatements(cli, options.vex) : [];
  const advisories = await openAdvisories(await cli.folders(), options.db);
  try {
    const target = await analyseTarget(cli, name, options);
    const now = systemClock.now();
    const judged = judgeScan({
      target,
      database: advisories.database,
      failOn: options.failOn ?? 'off',
      onlyFixable: options.onlyFixable === true,
      ...(ignoreFile ? { ignoreFile } : {}),
      vex: [...statements, ...(target.attached ?? [])],
      now,
    });
    const finished = { ...judged, target, now };
    if (options.out !== undefined)
      await writeWhole(options.out, [await writeScan(options.output, finished, { colours: false })]);
    cli.print(await writeScan(options.out === undefined ? options.output : 'text', finished, paperOf(cli.output)));
    if (options.failOn !== undefined && judged.report.verdict.kind === 'block') cli.exitWith(EXIT.negative);
  } finally {
    await advisories.close();
  }
}

async function vexStatements(cli: Cli, wanted: readonly string[]) {
  const { vexOfFiles } = await import('../scan/vex.ts');
  return vexOfFiles(
    cli,
    wanted.filter((path) => path !== REFERRERS),
  );
}
