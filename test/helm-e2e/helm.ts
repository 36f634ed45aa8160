import { parseAllDocuments } from 'yaml';
import type { TestCluster } from '../support/cluster.ts';
import { requirePeer } from '../support/peers.ts';
import { type Outcome, run } from '../support/program.ts';
import { CHART } from './chart-files.ts';

export const RELEASE = 'guard';
export const NAMESPACE = 'breakwater-system';

/** Values as they stand in a file given with `--values`. */
export type Values = Readonly<Record<string, unknown>>;

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** Runs Helm without a cluster, its settings in no folder of whoever runs the tests. */
export function helm(args: readonly string[], values: Values = {}, cluster?: TestCluster): Promise<Outcome> {
  const environment = { HELM_NAMESPACE: NAMESPACE, KUBECONFIG: cluster?.kubeconfig ?? '/dev/null' };
  return run(requirePeer('helm'), [...args, '--values', '-'], { input: JSON.stringify(values), environment });
}

/** Runs Helm with arguments that take no values. */
export function plainHelm(args: readonly string[], cluster?: TestCluster): Promise<Outcome> {
  const environment = { HELM_NAMESPACE: NAMESPACE, KUBECONFIG: cluster?.kubeconfig ?? '/dev/null' };
  return run(requirePeer('helm'), args, { environment });
}

export function template(values: Values): Promise<Outcome> {
  return helm(['template', RELEASE, CHART, '--kube-version', '1.37.2'], values);
}

/** The objects a chart makes of these values. Throws with what Helm said. */
export async function rendered(values: Values): Promise<readonly KubernetesObject[]> {
  const outcome = await template(values);
  if (outcome.code !== 0) throw new Error(outcome.screen);
  return parseAllDocuments(outcome.stdout)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}
