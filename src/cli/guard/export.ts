import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { z } from 'zod';
import { ConstraintError, parseConstraint } from '../../constraints/constraint.ts';
import { ExpansionError, parseExpansion } from '../../constraints/expansion.ts';
import { isConstraintKind } from '../../constraints/kinds/kinds.ts';
import { exemptPatterns } from '../../constraints/vap/exempt-patterns.ts';
import { exportPolicies, type PolicyExport, PolicyExportError } from '../../constraints/vap/export.ts';
import { oneLine } from '../../platform/one-line.ts';
import type { GatekeeperObjects } from '../../preflight/takeover.ts';
import type { Cli } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';
import { GATEKEEPER_COLLECTIONS, readClusterConstraints, readCollection } from './cluster-constraints.ts';
import { type ClusterOptions, namesCluster, withCluster, withKubernetes } from './cluster-option.ts';
import { readManifestFiles } from './manifest-files.ts';
import { sortObjects } from './sorted-objects.ts';

interface ExportOptions extends ClusterOptions {
  readonly allowPartial?: boolean;
  readonly failurePolicy: 'Fail' | 'Ignore';
}

/** `breakwater guard export vap`: constraints as policies that the API server decides by itself. */
export function exportCommand(cli: Cli): Command {
  const command = new Command('export').description('constraints in another form');
  const vap = new Command('vap')
    .description('ValidatingAdmissionPolicies and their bindings, in the same words, ready for kubectl apply')
    .argument('[files...]', 'manifests, "-" for standard input; without any the constraints of the cluster')
    .option('--allow-partial', 'export also what a policy cannot say in full; what is missing is named')
    .addOption(
      new Option('--failure-policy <policy>', 'what happens when an expression cannot be computed')
        .choices(['Fail', 'Ignore'])
        .default('Fail'),
    );
  command.addCommand(withCluster(vap));
  vap
    .addHelpText(
      'after',
      `
A policy is decided inside the API server: nothing can be away. It knows no verdicts, no grace for restarts and no
break-glass; without --allow-partial a constraint that needs what a policy cannot say is refused, by name.
ExpansionTemplates and the Config among the files count too.

Exit codes: 0 exported; 1 something cannot be said, nothing is printed; 2 wrong usage; 3 anything else.

Examples:
  breakwater guard export vap constraint.yaml | kubectl apply -f -
  breakwater guard export vap --kubeconfig ~/.kube/config --allow-partial > policies.yaml`,
    )
    .action((files: readonly string[], options: ExportOptions) => exportVap(cli, files, options));
  return command;
}

async function exportVap(cli: Cli, files: readonly string[], options: ExportOptions): Promise<void> {
  if (files.length > 0 && namesCluster(options)) throw new CliError('usage', 'name files or a cluster, not both');
  const objects =
    files.length > 0
      ? sortObjects((await readManifestFiles(cli, files)).map(({ object }) => object))
      : await withKubernetes(cli, options, async (client) => ({
          constraints: await readClusterConstraints(client),
          templates: [],
          configs: await readCollection(client, GATEKEEPER_COLLECTIONS.configs),
          expansions: await readCollection(client, GATEKEEPER_COLLECTIONS.expansions),
        }));
  const known = objects.constraints.filter((one) => isConstraintKind(metaOf(one).kind));
  if (known.length === 0) throw new CliError('usage', 'there is no constraint of a kind that is known here');
  const documents: string[] = [];
  let refused = false;
  for (const object of known) {
    const exported = exportOne(cli, object, objects, options.failurePolicy);
    if (exported === undefined) {
      refused = true;
      continue;
    }
    const { kind, metadata } = metaOf(object);
    for (const one of exported.unsayable) cli.note(`${kind} ${metadata.name}: not in the policy: ${oneLine(one)}`);
    if (exported.unsayable.length > 0 && options.allowPartial !== true) {
      refused = true;
      continue;
    }
    const head = exported.unsayable.map((one) => `# not in this policy: ${oneLine(one)}\n`).join('');
    documents.push(...exported.objects.map((one, at) => `---\n${at === 0 ? head : ''}${asYaml(one)}`));
  }
  if (refused) {
    cli.note('breakwater: not exported: a policy cannot say all of it; --allow-partial exports what it can');
    cli.exitWith(EXIT.negative);
    if (options.allowPartial !== true) return;
  }
  if (documents.length > 0) cli.print(documents.join('').trimEnd());
}

function exportOne(
  cli: Cli,
  object: unknown,
  { configs, expansions }: GatekeeperObjects,
  failurePolicy: ExportOptions['failurePolicy'],
): PolicyExport | undefined {
  try {
    return exportPolicies({
      constraint: parseConstraint(object),
      parameters: metaOf(object).spec?.parameters,
      exemptNamespaces: exemptPatterns(configs),
      expansions: expansions.map(parseExpansion),
      failurePolicy,
    });
  } catch (error) {
    if (error instanceof ConstraintError || error instanceof PolicyExportError || error instanceof ExpansionError) {
      const { kind, metadata } = metaOf(object);
      cli.note(`${kind} ${metadata.name}: ${oneLine(error.message)}`);
      return undefined;
    }
    throw error;
  }
}

const metaSchema = z.looseObject({
  kind: z.string().catch(''),
  metadata: z.looseObject({ name: z.string().catch('') }).catch({ name: '' }),
  spec: z.looseObject({ parameters: z.unknown().optional() }).optional().catch(undefined),
});

function metaOf(object: unknown): z.infer<typeof metaSchema> {
  return metaSchema.parse(object);
}

/** kubectl reads YAML 1.1, where a bare `yes` or `on` is no string. */
function asYaml(object: object): string {
  return stringify(object, { lineWidth: 0, version: '1.1', aliasDuplicateObjects: false });
}
