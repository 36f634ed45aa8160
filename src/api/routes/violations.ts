import type { z } from 'zod';
import type { ClusterAuditStore } from '../../cluster/audit-store.ts';
import * as contract from '../contract/violations.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

type Finding = NonNullable<Awaited<ReturnType<ClusterAuditStore['findings']>>>['items'][number];

/** What audits and admission found in clusters. */
export function violationRoutes({ cluster }: Pick<ApiDeps, 'cluster'>): BoundEndpoint[] {
  return [
    on(contract.listClusterFindings, async ({ query: { limit, after, since, ...filter } }) => {
      const found = await cluster.findings(
        { ...filter, since: since === undefined ? undefined : Date.parse(since) },
        { limit, after },
      );
      if (found === undefined) throw new ApiError('request_invalid', 'after: the "next" of a page before');
      return { ...found, items: found.items.map(view) };
    }),
  ];
}

function view(one: Finding): z.input<typeof contract.clusterFinding> {
  if (one.from === 'audit') {
    const { since, ...finding } = one.finding;
    return { from: one.from, ...finding, firstSeen: time(since) };
  }
  const { apiVersion, ownerKind, ownerName, firstAt, lastAt, ...finding } = one.finding;
  const slash = apiVersion.indexOf('/');
  return {
    from: one.from,
    ...finding,
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    owner: { kind: ownerKind, name: ownerName },
    firstSeen: time(firstAt),
    lastSeen: time(lastAt),
  };
}
