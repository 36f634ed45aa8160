import { z } from 'zod';
import { CONSTRAINT_GROUP, CONSTRAINT_KINDS, pluralOf } from '../constraints/kinds/kinds.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { check, type PreflightCheck } from './check.ts';

/** One thing a guard does to the cluster. */
export interface GuardRight {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
}

const READ = ['get', 'list', 'watch'];

function rights(group: string, resources: readonly string[], verbs: readonly string[]): GuardRight[] {
  return resources.flatMap((text) => {
    const [resource = '', subresource] = text.split('/', 2);
    return verbs.map((verb) => ({ group, resource, verb, ...(subresource === undefined ? {} : { subresource }) }));
  });
}

const CONSTRAINTS = CONSTRAINT_KINDS.map(pluralOf);

/** What a guard must be allowed to do; without one of them a part of it stands still. */
export const GUARD_RIGHTS: readonly GuardRight[] = [
  ...rights('', ['namespaces', 'pods', 'podtemplates', 'replicationcontrollers'], READ),
  ...rights('apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], READ),
  ...rights('batch', ['jobs', 'cronjobs'], READ),
  ...rights(CONSTRAINT_GROUP, CONSTRAINTS, READ),
  ...rights(
    CONSTRAINT_GROUP,
    CONSTRAINTS.map((one) => `${one}/status`),
    ['update', 'patch'],
  ),
  ...rights('apiextensions.k8s.io', ['customresourcedefinitions'], READ),
  ...rights('admissionregistration.k8s.io', ['validatingwebhookconfigurations'], ['get', 'patch']),
];

const reviewSchema = z.looseObject({ status: z.looseObject({ allowed: z.boolean() }) });
const REVIEWS = '/apis/authorization.k8s.io/v1';

/**
 * Which of the guard's rights are lacking: of whoever asks, or of a service account `NAMESPACE/NAME`. Asking leaves nothing
 * behind. Throws `KubernetesError`.
 */
export async function rightsCheck(client: KubernetesClient, serviceAccount?: string): Promise<PreflightCheck> {
  const [namespace = '', name = ''] = serviceAccount?.split('/', 2) ?? [];
  const subject =
    serviceAccount === undefined
      ? { kind: 'SelfSubjectAccessReview', path: `${REVIEWS}/selfsubjectaccessreviews`, spec: {} }
      : {
          kind: 'SubjectAccessReview',
          path: `${REVIEWS}/subjectaccessreviews`,
          spec: {
            user: `system:serviceaccount:${namespace}:${name}`,
            groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
          },
        };
  const lacking: string[] = [];
  for (const right of GUARD_RIGHTS) {
    const spec = { ...subject.spec, resourceAttributes: right };
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: subject.kind, spec };
    const { status } = reviewSchema.parse(await client.create(subject.path, review));
    if (!status.allowed) lacking.push(rightText(right));
  }
  const who = serviceAccount ?? 'whoever asks';
  if (lacking.length === 0) return check('rights', 'ok', `${who} has every right a guard needs`);
  return check('rights', 'problem', `${who} lacks rights a guard needs: apply "guard manifests"`, lacking);
}

function rightText({ group, resource, subresource, verb }: GuardRight): string {
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  return `${verb} ${what}${group === '' ? '' : `.${group}`}`;
}
