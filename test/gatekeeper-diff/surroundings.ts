import type { Random } from '../../dev/fuzz/random.ts';
import { GATEKEEPER_SYSTEM } from '../support/gatekeeper.ts';

/** Namespaces of both clusters with their labels. `kube-*` and `default` are there from the start. */
const NAMESPACES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  default: {},
  'kube-system': {},
  'kube-public': {},
  prod: { owner: 'team-a', stage: 'prod' },
  'prod-eu': { owner: 'team-b', stage: 'prod' },
  dev: { owner: 'team-a', stage: 'dev', empty: '' },
  'dev-2': { owner: 'operator' },
  shop: { owner: 'operator', stage: 'prod' },
  'team-a': { stage: 'Prod' },
  probe: {},
};
export const NAMESPACE_NAMES = Object.keys(NAMESPACES).filter((name) => name !== 'probe');
/** Reviews in it are asked to learn what a guard has read; no generated object lies there. */
export const PROBE_NAMESPACE = 'probe';
const EXPANSIONS = ['expand-workloads', 'expand-cronjobs', 'expand-widgets'] as const;

export function namespaceObjects(): object[] {
  return Object.entries(NAMESPACES).map(([name, labels]) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels },
  }));
}

/** The one `Config`: namespaces that are exempt, and one that says which round it is of. */
export function configObject(random: Random, round: string): object {
  const processes = ['audit', 'webhook', 'sync', 'mutation-webhook', '*'];
  const patterns = ['shop', 'prod-*', '*-2', '*ea*', 'nowhere', 'dev'];
  const match = random.chance(0.5)
    ? []
    : [{ excludedNamespaces: [random.pick(patterns)], processes: [random.pick(processes), random.pick(processes)] }];
  return {
    apiVersion: 'config.gatekeeper.sh/v1alpha1',
    kind: 'Config',
    metadata: { name: 'config', namespace: GATEKEEPER_SYSTEM },
    spec: { match: [...match, { excludedNamespaces: [`exempt-${round}`], processes: ['webhook'] }] },
  };
}

/** What generates pods: none of the templates applies to anything in half of the rounds. */
export function expansionObjects(random: Random): object[] {
  const groups = {
    'expand-workloads': ['apps', 'batch', ''],
    'expand-cronjobs': ['batch'],
    'expand-widgets': ['demo.io'],
  };
  const kinds = {
    'expand-workloads': ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'ReplicationController'],
    'expand-cronjobs': ['CronJob'],
    'expand-widgets': ['Widget'],
  };
  const sources = {
    'expand-workloads': 'spec.template',
    'expand-cronjobs': 'spec.jobTemplate.spec.template',
    'expand-widgets': 'spec.pod',
  };
  return EXPANSIONS.map((name) => {
    const applies = random.chance(0.5);
    const action = random.pick(['', '', 'warn', 'dryrun', 'deny']);
    return {
      apiVersion: 'expansion.gatekeeper.sh/v1beta1',
      kind: 'ExpansionTemplate',
      metadata: { name },
      spec: {
        applyTo: [{ groups: groups[name], versions: ['v1'], kinds: applies ? kinds[name] : [`No${name}`] }],
        templateSource: sources[name],
        ...(action === '' ? {} : { enforcementAction: action }),
        generatedGVK: { group: '', version: 'v1', kind: 'Pod' },
      },
    };
  });
}
