/** What a new constraint covers: every kind that runs pods, under the groups they have and had. */
export const DEFAULT_KINDS = [
  { apiGroups: [''], kinds: ['Pod', 'ReplicationController', 'PodTemplate'] },
  { apiGroups: ['apps', 'extensions'], kinds: ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'] },
  { apiGroups: ['batch'], kinds: ['Job', 'CronJob'] },
];

/** The cluster's own namespaces: their images come with the cluster, and stopping them stops it. */
export const EXCLUDED_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease'];

export const IGNORE_LABEL = 'admission.gatekeeper.sh/ignore';
