import type { Principal } from '../../auth/principal.ts';
import { isComplete } from '../../findings/fill.ts';
import { listHoldingImages } from '../../findings/images.ts';
import { listFindings } from '../../findings/list.ts';
import type { FindingFilter } from '../../findings/query.ts';
import { STATUSES } from '../../findings/status.ts';
import { projectOf } from '../../model/project-name.ts';
import { defined } from '../../platform/defined.ts';
import { findRepository } from '../../registry/content-store.ts';
import * as contract from '../contract/findings.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

interface Place {
  readonly project?: string | undefined;
  readonly repository?: string | undefined;
  readonly package?: string | undefined;
}

/** What verdicts say of vulnerabilities, over everything that somebody may read. */
export function findingRoutes({ db, access }: Pick<ApiDeps, 'db' | 'access'>): BoundEndpoint[] {
  async function placeOf(by: Principal, { project, repository }: Place): Promise<FindingFilter> {
    const named = repository === undefined ? project : projectOf(repository);
    if (named === undefined) return readable(by);
    if (project !== undefined && named !== project)
      throw new ApiError('request_invalid', `repository ${repository} is not in project ${project}`);
    const { id } = await access.requireIn(by, 'verdict:read', named);
    if (repository !== undefined && (await findRepository(db, repository))?.projectId !== id)
      throw new ApiError('not_found', `project "${named}" has no repository ${repository}`);
    return { projects: [id], repository };
  }

  async function readable(by: Principal): Promise<FindingFilter> {
    const names = await access.heldIn(by, 'verdict:read');
    if (names === 'all') return {};
    const projects = await db.selectFrom('projects').select(['id', 'name']).execute();
    return { projects: projects.filter(({ name }) => names.has(name)).map(({ id }) => id) };
  }

  async function tagsOf(images: readonly { readonly repositoryId: string; readonly digest: string }[]) {
    const tags = new Map<string, string[]>();
    for (const [repositoryId, own] of Map.groupBy(images, (image) => image.repositoryId)) {
      const rows = await db
        .selectFrom('tags')
        .select(['name', 'digest'])
        .where('repository_id', '=', repositoryId)
        .where(
          'digest',
          'in',
          own.map(({ digest }) => digest),
        )
        .orderBy('name')
        .execute();
      for (const { name, digest } of rows) {
        const key = `${repositoryId} ${digest}`;
        tags.set(key, [...(tags.get(key) ?? []), name]);
      }
    }
    return tags;
  }

  return [
    on(contract.listFindings, async ({ by, query }) => {
      const { status, fixable, kev, sort, limit, after, severity, vulnerability } = query;
      const page = await listFindings(db, {
        ...(await placeOf(by, query)),
        ...packagesOf(query.package),
        vulnerability,
        severity,
        fixable: fixable && fixable === 'true',
        kev: kev && kev === 'true',
        statuses: status === undefined ? undefined : STATUSES.filter((one) => status.split(',').includes(one)),
        sort,
        limit,
        after,
      });
      if (!page) throw noPlace();
      return {
        ...page,
        items: page.items.map(({ firstSeen, aliases, ...one }) => ({
          ...one,
          aliases: [...aliases],
          firstSeen: time(firstSeen),
        })),
        complete: await isComplete(db),
      };
    }),
    on(contract.listHoldingImages, async ({ by, query }) => {
      const { vulnerability, limit, after } = query;
      const place = { ...(await placeOf(by, query)), ...packagesOf(query.package) };
      const page = await listHoldingImages(db, { ...place, vulnerability, limit, ...defined({ after }) });
      if (!page) throw noPlace();
      const tags = await tagsOf(page.items);
      return {
        ...page,
        items: page.items.map(({ repositoryId, ...image }) => ({
          ...image,
          tags: tags.get(`${repositoryId} ${image.digest}`) ?? [],
        })),
      };
    }),
  ];
}

function packagesOf(name: string | undefined): Pick<FindingFilter, 'package' | 'packagePrefix'> {
  return name?.endsWith('*') ? { packagePrefix: name.slice(0, -1) } : { package: name };
}

function noPlace(): ApiError {
  return new ApiError('request_invalid', 'after: the "next" of a page before, in the same order');
}
