import { type Project, storedQuota } from '../../projects/project.ts';
import type { RetentionOutcome } from '../../retention/run.ts';
import { effectiveQuota } from '../../usage/quota.ts';
import { type ProjectUsage, readRepositoryUsage, readUsage } from '../../usage/usage.ts';
import * as contract from '../contract/storage.ts';
import type { ApiDeps } from '../deps.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

const MOST_REPOSITORIES = 1000;
const NOTHING: Omit<ProjectUsage, 'projectId'> = { bytes: 0, blobs: 0, manifests: 0 };

export function storageRoutes(deps: ApiDeps): BoundEndpoint[] {
  const { db, projects, retention } = deps;

  async function usageOf(name: string) {
    const project = await projects.get(name);
    return usageView(deps, project, (await readUsage(db, project.id))[0]);
  }

  return [
    on(contract.listUsage, async ({ by }) => {
      const usages = new Map((await readUsage(db)).map((usage) => [usage.projectId, usage]));
      const seen = await projects.list(by);
      return { items: seen.map((project) => usageView(deps, project, usages.get(project.id))) };
    }),
    on(contract.getUsage, async ({ params, project }) => ({
      ...(await usageOf(params.project)),
      repositories: await readRepositoryUsage(db, project.id, MOST_REPOSITORIES),
    })),
    on(contract.setQuota, async ({ by, params, body }) => {
      await projects.setQuota(by, params.project, body.quota);
      return usageOf(params.project);
    }),
    on(contract.setImmutableTags, async ({ by, params, body }) => {
      const { immutableTags } = await projects.setImmutableTags(by, params.project, body.rules);
      return { rules: [...immutableTags] };
    }),
    on(contract.getRetention, async ({ project }) => {
      const { rules, changed } = await retention.rules(project);
      return { rules: [...rules], ...(changed ? { changedBy: changed.by, changedAt: time(changed.at) } : {}) };
    }),
    on(contract.setRetention, async ({ by, project, body }) => {
      await retention.setRules(by, project, body.rules);
      return { rules: body.rules };
    }),
    on(contract.previewRetention, async ({ project }) => outcomeView(await retention.lookAhead(project))),
    on(contract.runRetention, async ({ by, project }) => outcomeView(await retention.run(by, project))),
    on(contract.retentionHistory, async ({ project }) => {
      const runs = await retention.history(project);
      return { items: runs.map(({ at, rules, ...run }) => ({ ...run, rules: [...rules], at: time(at) })) };
    }),
  ];
}

function usageView(
  { defaultQuota }: ApiDeps,
  project: Pick<Project, 'name' | 'quota' | 'upstream'>,
  usage: Omit<ProjectUsage, 'projectId'> = NOTHING,
) {
  // The quota of the installation is for pushes: what mirrors keep can only be fetched again while it is there.
  const quota = effectiveQuota(storedQuota(project.quota), project.upstream ? undefined : defaultQuota);
  const { bytes, blobs, manifests } = usage;
  const share = quota === undefined || quota === 0 ? {} : { share: bytes / quota };
  return { project: project.name, bytes, blobs, manifests, quota: quota ?? null, ...share };
}

function outcomeView({ at, tags, ...counts }: RetentionOutcome) {
  return {
    ...counts,
    at: time(at),
    tags: tags.map(({ pushedAt, usedAt, ...fate }) => ({ ...fate, pushedAt: time(pushedAt), usedAt: time(usedAt) })),
  };
}
