import { Command } from 'commander';
import { stringify } from 'yaml';
import { GatorError } from '../../gator/errors.ts';
import { readTemplate } from '../../gator/library/template.ts';
import type { KubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { oneLine } from '../../platform/one-line.ts';
import { printableJson } from '../../platform/printable-json.ts';
import { applyTakeover, ownedDefinitions } from '../../preflight/apply-takeover.ts';
import { findGatekeeper, type GatekeeperPresence } from '../../preflight/definition-owners.ts';
import { readNamespaceLabels } from '../../preflight/namespace-labels.ts';
import { readRunningPods } from '../../preflight/running-pods.ts';
import { type GatekeeperObjects, planTakeover, type Takeover } from '../../preflight/takeover.ts';
import type { Cli } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';
import { type OutputOptions, withOutput } from '../output.ts';
import { GATEKEEPER_COLLECTIONS, readAllConstraints, readCollection } from './cluster-constraints.ts';
import { type ClusterOptions, withCluster, withKubernetes } from './cluster-option.ts';
import { readManifestFiles } from './manifest-files.ts';
import { sortObjects } from './sorted-objects.ts';

interface ImportOptions extends ClusterOptions, OutputOptions {
  readonly observe?: boolean;
  readonly apply?: boolean;
}

/** `breakwater guard import`: takes Gatekeeper's objects over. */
export function guardImportCommand(cli: Cli): Command {
  const command = new Command('import')
    .description("take Gatekeeper's constraints over, and say which keep their meaning only by raw prefixes")
    .argument('[files...]', 'Gatekeeper\'s objects, "-" for standard input; without any those of the cluster')
    .option('--observe', 'beside a live Gatekeeper: change nothing that it reads')
    .option('--apply', 'carry it out; without it the manifests are printed and nothing is written');
  return withOutput(withCluster(command))
    .addHelpText(
      'after',
      `
Every pod of the cluster is judged under each constraint, once as Gatekeeper does and once by reference. Where an image
that runs would be denied only here, the constraint is given the annotation breakwater/matching: prefix.
--apply also takes the definitions of our kinds out of the hands of their ConstraintTemplates: otherwise deleting a
template deletes all constraints of its kind. Beside a live Gatekeeper it is refused; with --observe only our
annotations, which Gatekeeper does not read, are written.

Exit codes: 0 done; 1 something is left behind, or a live Gatekeeper forbids it; 2 wrong usage; 3 anything else.

Examples:
  breakwater guard import --kubeconfig ~/.kube/config > taken.yaml
  breakwater guard import --kubeconfig ~/.kube/config --apply`,
    )
    .action((files: readonly string[], options: ImportOptions) => run(cli, files, options));
}

async function run(cli: Cli, files: readonly string[], options: ImportOptions): Promise<void> {
  const given =
    files.length === 0 ? undefined : sortObjects((await readManifestFiles(cli, files)).map(({ object }) => object));
  await withKubernetes(cli, options, async (client) => {
    const gatekeeper = await findGatekeeper(client);
    const objects = given ?? (await clusterObjects(client));
    const namespaceLabels = await readNamespaceLabels(client);
    const plan = planTakeover({ foreignTemplate, namespaceLabels }, objects, await readRunningPods(client));
    const owned = await ownedDefinitions(client);
    if (plan.taken.length === 0 && plan.left.length === 0)
      throw new CliError('usage', 'there is no constraint to take over');
    if (options.output === 'json') cli.print(printableJson({ ...plan, ownedDefinitions: owned, gatekeeper }));
    else {
      for (const line of planLines(plan, owned, gatekeeper)) cli.note(line);
      if (!options.apply)
        cli.print(
          plan.taken
            .map(({ object }) => `---\n${asYaml(object)}`)
            .join('')
            .trimEnd(),
        );
    }
    if (plan.left.length > 0) cli.exitWith(EXIT.negative);
    if (!options.apply) return;
    if (gatekeeper.live && !options.observe) {
      cli.note(
        'breakwater: a Gatekeeper is live and would fight over the same objects: remove it first, or use --observe',
      );
      cli.exitWith(EXIT.negative);
      return;
    }
    for (const line of await applyTakeover(client, plan, { observe: options.observe === true })) cli.note(line);
  });
}

async function clusterObjects(client: KubernetesClient): Promise<GatekeeperObjects> {
  const { templates, configs, expansions } = GATEKEEPER_COLLECTIONS;
  return {
    constraints: await readAllConstraints(client),
    templates: await readCollection(client, templates),
    configs: await readCollection(client, configs),
    expansions: await readCollection(client, expansions),
  };
}

/** Why the Rego of a template is not what we do under its kind. */
function foreignTemplate(template: unknown): string | undefined {
  try {
    readTemplate(template as Parameters<typeof readTemplate>[0]);
    return undefined;
  } catch (error) {
    if (!(error instanceof GatorError)) throw error;
    return error.message;
  }
}

const NEEDS: Readonly<Record<Takeover['taken'][number]['needs'], string>> = {
  nothing: 'taken as it is',
  prefix: 'needs breakwater/matching: prefix to keep its meaning over what runs',
  compat:
    'keeps its meaning over what runs only under breakwater/compat: gatekeeper; decide, or mend its list (guard lint)',
};

function planLines(plan: Takeover, owned: readonly string[], { live, signs }: GatekeeperPresence): string[] {
  const taken = plan.taken.flatMap(({ kind, name, needs, differences }) => [
    `${kind} ${name}: ${NEEDS[needs]}`,
    ...differences.map(
      ({ image, where, change }) =>
        `    ${oneLine(image)} (${where}): ${change === 'denied-here' ? 'Gatekeeper admits it, by reference it is denied' : 'Gatekeeper denies it, by reference it is admitted'}`,
    ),
  ]);
  return [
    ...(live ? ['a Gatekeeper is live:', ...signs.map((sign) => `    ${sign}`)] : []),
    ...taken,
    ...plan.kept.map((what) => `${what}: read as it is`),
    ...plan.left.map(({ what, why }) => `${what}: left behind: ${oneLine(why)}`),
    ...owned.map((name) => `definition ${name}: owned by a ConstraintTemplate, --apply releases it`),
  ];
}

/** kubectl reads YAML 1.1, where a bare `yes` or `on` is no string. */
function asYaml(object: object): string {
  return stringify(object, { lineWidth: 0, version: '1.1', aliasDuplicateObjects: false });
}
