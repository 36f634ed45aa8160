import { CONSTRAINT_GROUP, CONSTRAINT_KINDS, pluralOf } from '../../constraints/kinds/kinds.ts';
import { KubernetesError } from '../../kubernetes/errors.ts';
import type { KubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { listPages } from '../../kubernetes/list-pages.ts';

/** All constraints of our kinds in a cluster; kinds it does not know have none. Throws `KubernetesError`. */
export async function readClusterConstraints(client: KubernetesClient): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (const kind of CONSTRAINT_KINDS) {
    const apiVersion = `${CONSTRAINT_GROUP}/v1beta1`;
    try {
      for await (const page of listPages(client, `/apis/${apiVersion}/${pluralOf(kind)}`)) {
        // Objects of a list may come without the kind they share.
        found.push(...page.items.map((item) => ({ ...item, apiVersion, kind })));
      }
    } catch (error) {
      if (!(error instanceof KubernetesError && error.code === 'not_found')) throw error;
    }
  }
  return found;
}
