import { z } from 'zod';
import type { NamespaceLabels } from '../constraints/match.ts';
import { NAMESPACES_PATH } from '../constraints/paths.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { listPages } from '../kubernetes/list-pages.ts';

const namespaceSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()).optional() }),
});

/** Labels of all namespaces, read once. Throws `KubernetesError`. */
export async function readNamespaceLabels(client: KubernetesClient): Promise<NamespaceLabels> {
  const known = new Map<string, Readonly<Record<string, string>>>();
  for await (const page of listPages(client, NAMESPACES_PATH)) {
    for (const item of page.items) {
      const { data } = namespaceSchema.safeParse(item);
      if (data !== undefined) known.set(data.metadata.name, data.metadata.labels ?? {});
    }
  }
  return (name) => known.get(name);
}
