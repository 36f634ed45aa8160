import { z } from 'zod';
import { guardRights } from '../admission/guard-rights.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { check, type PreflightCheck } from './check.ts';

const DEFAULT_NAMESPACE = 'breakwater-system';
const REVIEWS = '/apis/authorization.k8s.io/v1';

const roleSchema = z.looseObject({
  kind: z.enum(['ClusterRole', 'Role']),
  metadata: z.looseObject({ namespace: z.string().optional() }),
  rules: z.array(
    z.looseObject({
      apiGroups: z.array(z.string()),
      resources: z.array(z.string()),
      verbs: z.array(z.string()),
      resourceNames: z.array(z.string()).optional(),
    }),
  ),
});
const reviewSchema = z.looseObject({ status: z.looseObject({ allowed: z.boolean() }) });

/** One thing a guard does to the cluster, as an access review asks about it. */
interface Right {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
  readonly name?: string;
  readonly namespace?: string;
}

/**
 * Which of the guard's rights are lacking, those its own manifests give it: of whoever asks, or of a service account
 * `NAMESPACE/NAME`. Asking leaves nothing behind. Throws `KubernetesError`.
 */
export async function rightsCheck(client: KubernetesClient, account?: string): Promise<PreflightCheck> {
  const [namespace = DEFAULT_NAMESPACE, name = ''] = account?.split('/', 2) ?? [];
  const lacking: string[] = [];
  for (const right of neededRights(namespace, name)) {
    const resourceAttributes = right;
    const [kind, path, spec] =
      account === undefined
        ? ['SelfSubjectAccessReview', 'selfsubjectaccessreviews', { resourceAttributes }]
        : ['SubjectAccessReview', 'subjectaccessreviews', { ...subjectOf(namespace, name), resourceAttributes }];
    const review = { apiVersion: 'authorization.k8s.io/v1', kind, spec };
    const { status } = reviewSchema.parse(await client.create(`${REVIEWS}/${path}`, review));
    if (!status.allowed) lacking.push(rightText(right));
  }
  const who = account ?? 'whoever asks';
  if (lacking.length === 0) return check('rights', 'ok', `${who} has every right a guard needs`);
  return check('rights', 'problem', `${who} lacks rights a guard needs: apply "guard manifests"`, lacking);
}

function subjectOf(namespace: string, name: string): object {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  return { user: `system:serviceaccount:${namespace}:${name}`, groups };
}

/** The rules of the guard's roles, one right for each verb, resource and name. */
function neededRights(namespace: string, serviceAccount: string): Right[] {
  const roles = guardRights({ namespace, serviceAccount, probeNamespace: namespace }).flatMap(
    (object) => roleSchema.safeParse(object).data ?? [],
  );
  return roles.flatMap(({ metadata, rules }) =>
    rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [undefined] }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((text) =>
          resourceNames.flatMap((name) =>
            verbs.map((verb) => rightOf({ group, text, name, verb }, metadata.namespace)),
          ),
        ),
      ),
    ),
  );
}

function rightOf(
  { group, text, name, verb }: { group: string; text: string; name: string | undefined; verb: string },
  namespace: string | undefined,
): Right {
  const [resource = '', subresource] = text.split('/', 2);
  return {
    group,
    resource,
    verb,
    ...(subresource === undefined ? {} : { subresource }),
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

function rightText({ group, resource, subresource, verb, name, namespace }: Right): string {
  const what = `${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return `${verb} ${what}${name === undefined ? '' : ` ${name}`}${namespace === undefined ? '' : ` in ${namespace}`}`;
}
