import { randomUUID } from 'node:crypto';
import type { Random } from '../../dev/fuzz/random.ts';
import { changed, generatedObject, type KubernetesObject } from './objects.ts';

export interface Case {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly namespace: string;
  readonly object: KubernetesObject;
  readonly body: string;
}

const USERS = ['alice', 'system:serviceaccount:kube-system:replicaset-controller', 'kubernetes-admin'];

/** An AdmissionReview as an API server sends it. */
export function generatedCase(random: Random): Case {
  const { object, namespace, resource } = generatedObject(random);
  const operation = random.pick(['CREATE', 'CREATE', 'CREATE', 'UPDATE', 'DELETE'] as const);
  const old = operation === 'UPDATE' ? changed(random, object) : object;
  const unknown = random.chance(0.01);
  return reviewOf(
    random,
    operation,
    unknown && namespace !== '' ? 'not-there' : namespace,
    object,
    operation === 'CREATE' ? null : old,
    resource,
  );
}

function reviewOf(
  random: Random,
  operation: Case['operation'],
  namespace: string,
  object: KubernetesObject,
  oldObject: KubernetesObject | null,
  resource: string,
): Case {
  const [group = '', version = ''] = object.apiVersion.includes('/')
    ? object.apiVersion.split('/')
    : ['', object.apiVersion];
  const kind = { group, version, kind: object.kind };
  const name = object.metadata['name'];
  const request = {
    uid: randomUUID(),
    kind,
    resource: { group, version, resource },
    requestKind: kind,
    requestResource: { group, version, resource },
    ...(typeof name === 'string' ? { name } : {}),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: { username: random.pick(USERS), groups: ['system:authenticated'] },
    object: operation === 'DELETE' ? null : object,
    oldObject,
    dryRun: random.chance(0.1),
    options: null,
  };
  const body = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
  return { operation, namespace, object, body };
}
