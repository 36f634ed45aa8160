import { actorOf } from '../../auth/principal.ts';
import { scopeOf } from '../../facts/scope.ts';
import { projectOf } from '../../model/project-name.ts';
import { readAudit } from '../audit-lines.ts';
import * as contract from '../contract/guard-feed.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, on } from '../handler.ts';

/** A clock of a cluster may be ahead of ours by this much. */
const AHEAD_MS = 5 * 60_000;
/** A guard keeps what it found for as long while it cannot reach us. */
const BEHIND_MS = 7 * 86_400_000;

export function guardFeedRoutes(deps: ApiDeps): BoundEndpoint[] {
  const { access, feed, cluster, admissionFindings, clock, logger } = deps;
  return [
    on(contract.guardFacts, async ({ by, body, signal }) => {
      const { cursor, waitSeconds, projects, running, ask } = body;
      const readable = await access.heldIn(by, 'verdict:read');
      const isReadable = (project: string): boolean => readable === 'all' || readable.has(project);
      const followed = projects === undefined ? readable : new Set(projects.filter(isReadable));
      const apart = ({ repository }: { readonly repository: string }): boolean => {
        const project = projectOf(repository);
        return followed !== 'all' && !followed.has(project) && isReadable(project);
      };
      const also = running.filter((repository) => apart({ repository }));
      const asked = ask.filter(apart);
      return feed.read({
        scope: scopeOf(followed, new Set(also)),
        cursor,
        waitMs: waitSeconds * 1000,
        signal,
        ...(asked.length === 0
          ? {}
          : {
              ask: {
                tags: asked.flatMap(({ repository, tag }) => (tag === undefined ? [] : [{ repository, item: tag }])),
                images: asked.flatMap(({ repository, digest }) =>
                  digest === undefined ? [] : [{ repository, item: digest }],
                ),
              },
            }),
      });
    }),

    on(contract.reportAudit, async ({ by, stream }) => {
      const audit = await readAudit(stream);
      const now = clock.now();
      if (audit.finishedAt > now + AHEAD_MS || audit.finishedAt < now - BEHIND_MS || audit.startedAt > audit.finishedAt)
        throw new ApiError(
          'request_invalid',
          'the audit ended in the future, more than 7 days ago, or before it began: compare the clocks of the cluster and of this server',
        );
      await cluster.recordAudit(audit);
      logger.debug({ cluster: audit.cluster, objects: audit.objects, by: actorOf(by) }, 'a guard reported its audit');
    }),

    on(contract.reportFindings, async ({ by, body: { cluster: name, findings } }) => {
      const now = clock.now();
      if (findings.some(({ lastAt }) => lastAt > now + AHEAD_MS))
        throw new ApiError(
          'request_invalid',
          'findings: one was made in the future: compare the clocks of the cluster and of this server',
        );
      await admissionFindings.add(name, findings, now);
      logger.debug({ cluster: name, findings: findings.length, by: actorOf(by) }, 'a guard reported findings');
    }),
  ];
}
