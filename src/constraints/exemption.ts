import { z } from 'zod';
import { wildcardMatches } from './wildcard.ts';

/** What namespaces can be exempted from. */
export type ExemptProcess = 'webhook' | 'audit';

const entrySchema = z.looseObject({
  excludedNamespaces: z.array(z.string()).nullish(),
  processes: z.array(z.string()).nullish(),
});
const configSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ match: z.array(entrySchema).nullish() }).nullish(),
});

/** Says whether a namespace is left out of a process. */
export type Exempt = (namespace: string, process: ExemptProcess) => boolean;

/** Gatekeeper's cluster-wide exemptions: the `Config` resource, of which only the one named `config` counts. */
export function readExemptions(configs: readonly unknown[]): Exempt {
  const patterns: Record<ExemptProcess, string[]> = { webhook: [], audit: [] };
  for (const config of configs) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success || parsed.data.metadata.name !== 'config') continue;
    for (const { excludedNamespaces, processes } of parsed.data.spec?.match ?? []) {
      for (const process of ['webhook', 'audit'] as const) {
        if (processes?.includes(process) || processes?.includes('*'))
          patterns[process].push(...(excludedNamespaces ?? []));
      }
    }
  }
  return (namespace, process) => patterns[process].some((pattern) => wildcardMatches(pattern, namespace));
}
