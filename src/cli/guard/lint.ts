import { Command, Option } from 'commander';
import type { LintSeverity } from '../../constraints/lint/finding.ts';
import { isAtLeast, lintConstraint } from '../../constraints/lint/lint.ts';
import { printableJson } from '../../platform/printable-json.ts';
import type { Cli } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';
import { readClusterConstraints } from './cluster-constraints.ts';
import { type ClusterOptions, namesCluster, withCluster, withKubernetes } from './cluster-option.ts';
import { type LintReport, lintJson, lintSarif, lintText, type PlacedFinding } from './lint-report.ts';
import { readManifestFiles, type SourcedObject } from './manifest-files.ts';

interface LintOptions extends ClusterOptions {
  readonly output: 'text' | 'json' | 'sarif';
  readonly failOn: LintSeverity | 'none';
  readonly as?: 'gatekeeper';
}

/** `breakwater guard lint`: what is wrong with constraints, with an image as a witness for each hole. */
export function lintCommand(cli: Cli): Command {
  const command = new Command('lint')
    .description('what is wrong with constraints: holes with a witness image, dead kinds, typos; and how to mend it')
    .argument('[files...]', 'manifests, "-" for standard input; without any the constraints of the cluster')
    .addOption(new Option('-o, --output <form>', 'how to print it').choices(['text', 'json', 'sarif']).default('text'))
    .addOption(
      new Option('--fail-on <severity>', 'end with 1 when a finding is at least this severe')
        .choices(['error', 'warning', 'note', 'none'])
        .default('warning'),
    )
    .addOption(
      new Option(
        '--as <who>',
        'judge entries as Gatekeeper compares them; without it as each constraint says (by reference, unless its annotations name prefixes)',
      ).choices(['gatekeeper']),
    );
  return withCluster(command)
    .addHelpText(
      'after',
      `
A witness is an image that raw prefixes admit although nobody meant it, and that is denied by reference.

Exit codes: 0 clean; 1 a finding at or above --fail-on; 2 wrong usage, or a file that is no YAML; 3 anything else.

Examples:
  breakwater guard lint constraints/*.yaml
  kubectl get constraints -o json | breakwater guard lint --as gatekeeper -
  breakwater guard lint --kubeconfig ~/.kube/config -o sarif`,
    )
    .action((files: readonly string[], options: LintOptions) => lint(cli, files, options));
}

async function lint(cli: Cli, files: readonly string[], options: LintOptions): Promise<void> {
  if (files.length > 0 && namesCluster(options)) throw new CliError('usage', 'name files or a cluster, not both');
  const objects: readonly SourcedObject[] =
    files.length > 0
      ? await readManifestFiles(cli, files)
      : (await withKubernetes(cli, options, readClusterConstraints)).map((object) => ({ object }));
  const report = reportOf(objects, options.as);
  if (files.length > 0 && report.constraints === 0) {
    throw new CliError('usage', 'none of these files holds a constraint of a kind that is known here');
  }
  cli.print(rendered(report, options.output));
  const { failOn } = options;
  if (failOn !== 'none' && report.findings.some(({ severity }) => isAtLeast(severity, failOn)))
    cli.exitWith(EXIT.negative);
}

function reportOf(objects: readonly SourcedObject[], as: LintOptions['as']): LintReport {
  let constraints = 0;
  const findings: PlacedFinding[] = [];
  for (const source of objects) {
    const { file } = source;
    const linted = lintConstraint(source.object, { as });
    if (linted === undefined) continue;
    constraints += 1;
    const { kind, name } = linted;
    for (const one of linted.findings) {
      const position = source.positionOf?.(one.path);
      findings.push({
        ...one,
        constraint: { kind, name },
        ...(file ? { file } : {}),
        ...(position ? { position } : {}),
      });
    }
  }
  return { constraints, findings };
}

function rendered(report: LintReport, output: LintOptions['output']): string {
  if (output === 'text') return lintText(report);
  return printableJson(output === 'json' ? lintJson(report) : lintSarif(report));
}
