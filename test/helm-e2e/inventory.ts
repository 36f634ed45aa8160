import type { TestCluster } from '../support/cluster.ts';

/** What comes and goes by itself, whoever is in the cluster. */
const RESTLESS = /^(events?(\.events\.k8s\.io)?\/|lease\.coordination\.k8s\.io\/kube-system\/apiserver-)/;

/** Every object of every kind the cluster can list, as `kind/namespace/name`. */
export async function inventory(cluster: TestCluster): Promise<ReadonlySet<string>> {
  const kinds = await listed(cluster, ['api-resources', '--verbs=list', '-oname']);
  const format = '-ojsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
  const found = new Set<string>();
  for (const kind of kinds) {
    const names = await listed(cluster, ['get', kind, '-A', format]);
    for (const name of names) if (!RESTLESS.test(`${kind}/${name}`)) found.add(`${kind}/${name}`);
  }
  return found;
}

/** What is in the second and not in the first. */
export function added(before: ReadonlySet<string>, after: ReadonlySet<string>): string[] {
  return [...after].filter((name) => !before.has(name)).sort();
}

async function listed(cluster: TestCluster, args: readonly string[]): Promise<string[]> {
  const outcome = await cluster.kubectl(args);
  // Definitions that were just deleted are still told of for a moment.
  if (outcome.code !== 0 && outcome.stderr.includes("the server doesn't have a resource type")) return [];
  if (outcome.code !== 0) throw new Error(`kubectl ${args.join(' ')}:\n${outcome.stderr}`);
  return outcome.stdout.split('\n').filter(Boolean);
}
