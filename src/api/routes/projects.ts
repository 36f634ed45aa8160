import { defined } from '../../platform/defined.ts';
import type { ShortForm } from '../../policy/short-form.ts';
import { checkUpstream, type Project as StoredProject } from '../../projects/project.ts';
import {
  findRepository,
  listTags,
  listManifests as readManifests,
  listRepositories as readRepositories,
} from '../../registry/content-store.ts';
import * as contract from '../contract/projects.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

const MOST_TAGS = 1000;

export function projectRoutes(deps: ApiDeps): BoundEndpoint[] {
  const { projects, policies, members, verdicts } = deps;

  async function view(project: StoredProject): Promise<contract.Project> {
    const { policy, version } = await policies.effectivePolicy(project.id);
    const { id: _, createdAt, immutableTags, ...shown } = project;
    return {
      ...shown,
      immutableTags: [...immutableTags],
      createdAt: time(createdAt),
      policy: { version, block: policy.block, warn: policy.warn },
    };
  }

  /** Stored images follow a new policy before the reply is sent. */
  async function setShort(
    by: Parameters<typeof policies.setShort>[0],
    project: { id: string; name: string },
    short: ShortForm,
    reason: string,
  ) {
    const { changed } = await policies.setShort(by, project, short, { reason });
    if (changed) await verdicts.rejudgeProject(project.id, 'policy');
  }

  return [
    on(contract.createProject, async ({ by, body }) => {
      const { block, warn, upstream, ...input } = body;
      const project = await projects.create(by, { ...input, ...(upstream ? { upstream: defined(upstream) } : {}) });
      if (block !== undefined || warn !== undefined) {
        await setShort(by, project, defined({ block, warn }), 'set when the project was created');
      }
      return view(project);
    }),
    on(contract.listProjects, async ({ by }) => ({ items: await Promise.all((await projects.list(by)).map(view)) })),
    on(contract.getProject, async ({ params }) => view(await projects.get(params.project))),
    on(contract.updateProject, async ({ by, params, body, project }) => {
      const { block, warn, reason } = body;
      // An upstream is an address this server connects to.
      if (body.upstream !== undefined) {
        deps.access.require(by, 'upstream:manage');
        // Before the first change: a refused call must not have opened the project on its way.
        checkUpstream(defined(body.upstream));
      }
      if (body.public !== undefined) await projects.setPublic(by, params.project, body.public);
      if (body.untagged !== undefined) await projects.setUntagged(by, params.project, body.untagged);
      if (body.upstream !== undefined) await projects.setUpstream(by, params.project, defined(body.upstream));
      if (block !== undefined || warn !== undefined) {
        await setShort(by, project, defined({ block, warn }), reason);
      }
      return view(await projects.get(params.project));
    }),
    on(contract.deleteProject, async ({ by, params, query }) =>
      projects.remove(by, params.project, { force: query.force === 'true' }),
    ),

    on(contract.listMembers, async ({ project }) => ({ items: await members.list(project) })),
    on(contract.setMember, async ({ by, params, body, project }) => members.set(by, project, params.user, body.role)),
    on(contract.removeMember, async ({ by, params, project }) => members.remove(by, project, params.user)),

    on(contract.listRepositories, async ({ query, project }) => {
      const found = await readRepositories(deps.db, {
        projectId: project.id,
        after: query.after ?? '',
        limit: query.limit,
      });
      const items = await Promise.all(found.map((repository) => repositoryView(deps, repository)));
      const next = found.length === query.limit ? found.at(-1)?.name : undefined;
      return { items, ...(next === undefined ? {} : { next }) };
    }),
    on(contract.listManifests, async ({ query, project }) => {
      const repository = await findRepository(deps.db, query.repository);
      if (repository?.projectId !== project.id)
        throw new ApiError('not_found', `project "${project.name}" has no repository ${query.repository}`);
      const found = await readManifests(deps.db, repository.id, { after: query.after ?? '', limit: query.limit });
      const digests = found.map(({ digest }) => digest);
      const tags = await tagsByDigest(deps, repository.id, digests);
      const kinds = await verdictKinds(deps, repository.id, digests);
      const next = found.length === query.limit ? found.at(-1)?.digest : undefined;
      return {
        items: found.map(({ createdAt, ...stored }) => {
          const verdict = kinds.get(stored.digest);
          return {
            ...stored,
            createdAt: time(createdAt),
            tags: tags.get(stored.digest) ?? [],
            ...(verdict ? { verdict } : {}),
          };
        }),
        ...(next === undefined ? {} : { next }),
      };
    }),
  ];
}

async function tagsByDigest(
  { db }: ApiDeps,
  repositoryId: string,
  digests: readonly string[],
): Promise<Map<string, string[]>> {
  if (digests.length === 0) return new Map();
  const rows = await db
    .selectFrom('tags')
    .select(['name', 'digest'])
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .orderBy('name')
    .execute();
  return new Map(
    Map.groupBy(rows, ({ digest }) => digest)
      .entries()
      .map(([digest, tags]) => [digest, tags.map(({ name }) => name)]),
  );
}

type VerdictKind = 'allow' | 'warn' | 'block';

/** What the newest verdicts say, for these manifests only. */
async function verdictKinds(
  { db }: ApiDeps,
  repositoryId: string,
  digests: readonly string[],
): Promise<Map<string, VerdictKind>> {
  if (digests.length === 0) return new Map();
  const rows = await db
    .selectFrom('verdicts')
    .select(['digest', 'kind'])
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .execute();
  return new Map(rows.map((row) => [row.digest, row.kind as VerdictKind]));
}

async function repositoryView(deps: ApiDeps, repository: { readonly id: string; readonly name: string }) {
  const tags = await listTags(deps.db, repository.id, { after: '', limit: MOST_TAGS });
  const byDigest = await verdictKinds(deps, repository.id, [...new Set(tags.map(({ digest }) => digest))]);
  return {
    name: repository.name,
    tags: tags.map((tag) => {
      const verdict = byDigest.get(tag.digest);
      return { name: tag.name, digest: tag.digest, updatedAt: time(tag.updatedAt), ...(verdict ? { verdict } : {}) };
    }),
  };
}
