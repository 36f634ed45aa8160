import { z } from 'zod';

const labels = z.record(z.string(), z.string()).catch({});

/** The few fields of any Kubernetes object that admission and audit look at; everything else is left as it came. */
export const kubernetesObject = z.looseObject({
  apiVersion: z.string().catch(''),
  kind: z.string().catch(''),
  metadata: z
    .looseObject({
      name: z.string().catch(''),
      generateName: z.string().optional().catch(undefined),
      namespace: z.string().catch(''),
      uid: z.string().catch(''),
      labels,
      annotations: labels,
      deletionTimestamp: z.string().optional().catch(undefined),
      ownerReferences: z
        .array(
          z.looseObject({ kind: z.string(), name: z.string(), uid: z.string(), controller: z.boolean().optional() }),
        )
        .catch([]),
    })
    .catch({ name: '', namespace: '', uid: '', labels: {}, annotations: {}, ownerReferences: [] }),
});

/** `apps/v1` → `apps`; the core group is empty. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** `apps/v1` → `v1`. */
export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}
