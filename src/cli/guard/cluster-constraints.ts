import { z } from 'zod';
import { CONSTRAINT_GROUP, CONSTRAINT_KINDS, pluralOf } from '../../constraints/kinds/kinds.ts';
import { KubernetesError } from '../../kubernetes/errors.ts';
import type { KubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { listPages } from '../../kubernetes/list-pages.ts';

/** A collection of a cluster, and what its objects are called. */
export interface Collection {
  readonly apiVersion: string;
  readonly kind: string;
  readonly path: string;
}

/** Gatekeeper's own objects beside constraints. */
export const GATEKEEPER_COLLECTIONS = {
  templates: collection('templates.gatekeeper.sh/v1', 'ConstraintTemplate', 'constrainttemplates'),
  configs: collection('config.gatekeeper.sh/v1alpha1', 'Config', 'configs'),
  expansions: collection('expansion.gatekeeper.sh/v1beta1', 'ExpansionTemplate', 'expansiontemplate'),
} as const;

function collection(apiVersion: string, kind: string, plural: string): Collection {
  return { apiVersion, kind, path: `/apis/${apiVersion}/${plural}` };
}

/** All objects of a collection; none when the cluster does not know the kind. Throws `KubernetesError`. */
export async function readCollection(
  client: KubernetesClient,
  { apiVersion, kind, path }: Collection,
): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  try {
    for await (const page of listPages(client, path)) {
      // Objects of a list may come without the kind they share.
      found.push(...page.items.map((item) => ({ ...item, apiVersion, kind })));
    }
  } catch (error) {
    if (!(error instanceof KubernetesError && error.code === 'not_found')) throw error;
  }
  return found;
}

/** All constraints of our kinds in a cluster. Throws `KubernetesError`. */
export async function readClusterConstraints(client: KubernetesClient): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (const kind of CONSTRAINT_KINDS) {
    found.push(...(await readCollection(client, collection(`${CONSTRAINT_GROUP}/v1beta1`, kind, pluralOf(kind)))));
  }
  return found;
}

const groupSchema = z.looseObject({
  resources: z.array(z.looseObject({ name: z.string(), kind: z.string() })).catch([]),
});

/** All constraints of a cluster, also those of kinds that are not known here. Throws `KubernetesError`. */
export async function readAllConstraints(client: KubernetesClient): Promise<Record<string, unknown>[]> {
  const apiVersion = `${CONSTRAINT_GROUP}/v1beta1`;
  let group: unknown;
  try {
    group = await client.get(`/apis/${apiVersion}`);
  } catch (error) {
    if (error instanceof KubernetesError && error.code === 'not_found') return [];
    throw error;
  }
  const found: Record<string, unknown>[] = [];
  for (const { name, kind } of groupSchema.parse(group).resources) {
    if (!name.includes('/')) found.push(...(await readCollection(client, collection(apiVersion, kind, name))));
  }
  return found;
}
