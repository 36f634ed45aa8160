import type { TrustedSource } from '../../trust/trusted-source.ts';
import * as contract from '../contract/trust.ts';
import type { ApiDeps } from '../deps.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

export function trustRoutes({ trust }: ApiDeps): BoundEndpoint[] {
  return [
    on(contract.proposeSource, async ({ by, body }) =>
      view(await trust.propose(by, { ...body, reviewDue: Date.parse(body.reviewDue) })),
    ),
    on(contract.listSources, async () => ({ items: (await trust.list()).map(view) })),
    on(contract.approveSource, async ({ by, params, body }) => view(await trust.approve(by, params.id, body.reason))),
    on(contract.reviewSource, async ({ by, params, body }) =>
      view(
        await trust.review(by, params.id, {
          reason: body.reason,
          findings: body.findings,
          reviewDue: Date.parse(body.reviewDue),
        }),
      ),
    ),
    on(contract.retireSource, async ({ by, params, body }) => view(await trust.retire(by, params.id, body.reason))),
  ];
}

function view(source: TrustedSource): contract.TrustedSource {
  const { reviewDue, proposedAt, decidedAt, retiredAt, problems, ...same } = source;
  return {
    ...same,
    reviewDue: time(reviewDue),
    proposedAt: time(proposedAt),
    ...(decidedAt === undefined ? {} : { decidedAt: time(decidedAt) }),
    ...(retiredAt === undefined ? {} : { retiredAt: time(retiredAt) }),
    problems: problems.map(({ kind, message, safer }) => ({
      kind,
      message,
      ...(safer === undefined ? {} : { safer }),
    })),
  };
}
