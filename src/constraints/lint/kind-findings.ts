import { isRecord } from '../../platform/json-object.ts';
import { finding, type LintFinding, nearest } from './finding.ts';
import { type Fields, type LintSubject, textsIn } from './subject.ts';

const CORE = 'the core group ""';
/** Kinds that carry images, and the groups that serve or served them. */
const CARRIERS: Readonly<Record<string, readonly string[]>> = {
  Pod: [''],
  PodTemplate: [''],
  ReplicationController: [''],
  ReplicaSet: ['apps', 'extensions'],
  Deployment: ['apps', 'extensions'],
  StatefulSet: ['apps'],
  DaemonSet: ['apps', 'extensions'],
  Job: ['batch'],
  CronJob: ['batch'],
};
/** Others of Kubernetes itself that people write into such lists. */
const IMAGELESS: readonly string[] = [
  'Binding',
  'ConfigMap',
  'ControllerRevision',
  'CustomResourceDefinition',
  'Endpoints',
  'EndpointSlice',
  'Event',
  'HorizontalPodAutoscaler',
  'Ingress',
  'Lease',
  'LimitRange',
  'Namespace',
  'NetworkPolicy',
  'Node',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'PodDisruptionBudget',
  'ResourceQuota',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
  'Secret',
  'Service',
  'ServiceAccount',
  'StorageClass',
];
const GROUPS = ['', 'apps', 'batch', 'extensions'];
const MOST_NAMED = 10;
const CARRIER_NAMES = Object.keys(CARRIERS);

/** Kinds and groups in `spec.match.kinds` that do not exist or carry no images. */
export function kindFindings({ match }: LintSubject): LintFinding[] {
  const list = match?.['kinds'];
  if (!Array.isArray(list) || list.length === 0) return [];
  const path = ['spec', 'match', 'kinds'];
  const found: LintFinding[] = [];
  let alive = false;
  for (const [at, entry] of list.entries()) {
    if (!isRecord(entry)) continue;
    const read = readEntry(entry);
    found.push(...entryFindings(read, [...path, at]));
    alive ||= covers(read) || read.groups.some(isCustom);
  }
  if (alive) return found;
  const dead = finding('kinds-dead', path, 'match.kinds covers nothing that carries images: nothing is checked', {
    fix: 'write apiGroups [""] with kinds [Pod], or remove kinds',
  });
  return [dead, ...found];
}

interface KindsEntry {
  readonly groups: readonly string[];
  readonly kinds: readonly string[];
}

/** An absent or empty list means all. */
function readEntry(entry: Fields): KindsEntry {
  const [groups, kinds] = [textsIn(entry, 'apiGroups') ?? [], textsIn(entry, 'kinds') ?? []];
  return { groups: groups.length === 0 ? ['*'] : groups, kinds: kinds.length === 0 ? ['*'] : kinds };
}

/** True when it covers at least one kind that carries images. */
function covers({ groups, kinds }: KindsEntry): boolean {
  return CARRIER_NAMES.some(
    (kind) =>
      (kinds.includes('*') || kinds.includes(kind)) &&
      (groups.includes('*') || (CARRIERS[kind] ?? []).some((group) => groups.includes(group))),
  );
}

/** Groups of custom kinds have a dot; so have some of Kubernetes' own, which carry no images. */
function isCustom(group: string): boolean {
  return group.includes('.') && !group.endsWith('.k8s.io');
}

/** A few of them: they are repeated for every kind. */
function groupNames(groups: readonly string[]): string {
  const names = groups.slice(0, MOST_NAMED).map((one) => `"${one}"`);
  return [...names, ...(groups.length > MOST_NAMED ? [`and ${groups.length - MOST_NAMED} more`] : [])].join(', ');
}

function entryFindings({ groups, kinds }: KindsEntry, path: readonly (string | number)[]): LintFinding[] {
  const found: LintFinding[] = [];
  for (const [at, group] of groups.entries()) {
    if (group === '*' || GROUPS.includes(group) || group.includes('.')) continue;
    const fix = group === 'core' || group === 'v1' ? 'write ""' : group === 'app' ? 'write "apps"' : undefined;
    const meant = nearest(group, GROUPS);
    found.push(
      finding('kind-unknown', [...path, 'apiGroups', at], `there is no API group "${group}" that carries images`, {
        fix: fix ?? (meant ? `write "${meant}"` : 'write "", "apps" or "batch"'),
      }),
    );
  }
  const custom = groups.some(isCustom);
  for (const [at, kind] of kinds.entries()) {
    if (kind === '*') continue;
    const here = [...path, 'kinds', at];
    if (Object.hasOwn(CARRIERS, kind)) {
      const homes = CARRIERS[kind] ?? [];
      if (custom || groups.includes('*') || homes.some((home) => groups.includes(home))) continue;
      const [home = ''] = homes;
      const where = home === '' ? CORE : `group "${home}"`;
      found.push(
        finding('kind-unknown', here, `${kind} is in ${where}, not in ${groupNames(groups)}`, {
          fix: `write apiGroups ["${home}"] for it`,
        }),
      );
    } else if (custom) {
      found.push(
        finding('kind-custom', here, `${kind} of a custom group is judged through an ExpansionTemplate only`, {
          fix: 'make sure there is an ExpansionTemplate for it, or list what it makes',
        }),
      );
    } else if (IMAGELESS.includes(kind)) {
      found.push(finding('kind-without-images', here, `${kind} carries no images`, { fix: 'remove it' }));
    } else {
      const meant = nearest(kind, CARRIER_NAMES);
      found.push(
        finding('kind-unknown', here, `there is no kind "${kind}" that carries images`, {
          fix: meant ? `write "${meant}"` : `known are ${CARRIER_NAMES.join(', ')}`,
        }),
      );
    }
  }
  return found;
}
