import { z } from 'zod';
import { CONSTRAINTS_PATH } from '../../constraints/paths.ts';
import { KubernetesError } from '../../kubernetes/errors.ts';
import type { KubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { listPages } from '../../kubernetes/list-pages.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';

/** Address of the server whose trusted set a constraint follows. */
const REPOS_FROM_ANNOTATION = 'breakwater/repos-from';

export interface TrustedConstraintsDeps {
  readonly client: Pick<KubernetesClient, 'get' | 'patch'>;
  readonly logger: Logger;
  /** Address of the server this guard follows. */
  readonly server: string;
}

const constraintSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    resourceVersion: z.string(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.looseObject({ parameters: z.looseObject({ repos: z.unknown() }).optional() }).optional(),
});

/** What became of the constraints that follow the server. */
export interface FollowedConstraints {
  readonly updated: readonly string[];
  /** One sentence for each that could not be updated. */
  readonly problems: readonly string[];
}

/**
 * Puts the trusted set into the constraints whose annotation names this server, and into no other: there the set of the server
 * counts, whatever stood there before. An empty set is never written, since a cluster that follows it would run nothing new.
 * Throws `KubernetesError` when the constraints cannot be listed.
 */
export async function updateTrustedConstraints(
  deps: TrustedConstraintsDeps,
  trusted: readonly string[],
): Promise<FollowedConstraints> {
  const server = sameAddress(deps.server);
  const updated: string[] = [];
  const problems: string[] = [];
  for await (const { items } of listPages(deps.client as KubernetesClient, CONSTRAINTS_PATH)) {
    for (const item of items) {
      const parsed = constraintSchema.safeParse(item);
      if (!parsed.success) continue;
      const { metadata, spec } = parsed.data;
      const from = metadata.annotations?.[REPOS_FROM_ANNOTATION];
      if (from === undefined || sameAddress(from) !== server) continue;
      if (isSameList(spec?.parameters?.repos, trusted)) continue;
      if (trusted.length === 0) {
        problems.push(
          `constraint ${metadata.name} keeps its repos: ${deps.server} trusts nothing, and a constraint without entries would let nothing in`,
        );
        continue;
      }
      try {
        await deps.client.patch(`${CONSTRAINTS_PATH}/${encodeURIComponent(metadata.name)}`, {
          metadata: { resourceVersion: metadata.resourceVersion },
          spec: { parameters: { repos: trusted } },
        });
        updated.push(metadata.name);
        deps.logger.info({ constraint: metadata.name, entries: trusted.length }, 'trusted set of the registry written');
      } catch (error) {
        if (!(error instanceof KubernetesError)) throw error;
        // Somebody changes it right now: the next look sees what they did.
        if (error.code !== 'conflict')
          problems.push(`constraint ${metadata.name} could not be given the trusted set: ${messageOf(error)}`);
      }
    }
  }
  return { updated, problems };
}

function isSameList(repos: unknown, trusted: readonly string[]): boolean {
  return Array.isArray(repos) && repos.length === trusted.length && repos.every((entry, at) => entry === trusted[at]);
}

function sameAddress(text: string): string {
  return URL.parse(text)?.href.replace(/\/+$/, '') ?? text;
}
