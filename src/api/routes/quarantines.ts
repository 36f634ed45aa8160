import type { Digest } from '../../oci/digest.ts';
import { applyQuarantine, type Rejudged } from '../../quarantine/apply.ts';
import { hintFor } from '../../quarantine/hint.ts';
import type { Quarantine } from '../../quarantine/quarantine.ts';
import { reachOf } from '../../quarantine/reach.ts';
import * as contract from '../contract/quarantines.ts';
import type { ApiDeps } from '../deps.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

export function quarantineRoutes({ db, quarantines, verdicts }: ApiDeps): BoundEndpoint[] {
  /** Verdicts follow before the reply is sent: the next pull is decided by it. */
  async function applied(quarantine: Quarantine): Promise<contract.ChangedQuarantine> {
    const deps = {
      db,
      quarantines,
      rejudge: (manifests: readonly Digest[]) => verdicts.onQuarantineChanged(manifests),
    };
    const { judged, blocked, released } = await applyQuarantine(deps, quarantine);
    return { ...view(quarantine), verdicts: { judged, blocked, released } };
  }

  return [
    on(contract.addQuarantine, async ({ by, body: { versions, ...rest } }) => {
      const added = await quarantines.add(by, { ...rest, ...(versions === undefined ? {} : { versions }) });
      const hint = await hintFor(db, added);
      return { ...(await applied(added)), ...(hint === undefined ? {} : { hint }) };
    }),
    on(contract.listQuarantines, async ({ query }) => ({
      items: (await quarantines.list({ released: query.released === 'true' })).map(view),
    })),
    on(contract.getQuarantine, async ({ params }) => {
      const quarantine = await quarantines.get(params.id);
      return { ...view(quarantine), ...(await reachOf(db, quarantine)) };
    }),
    on(contract.releaseQuarantine, async ({ by, params, body }) => {
      const quarantine = await quarantines.release(by, params.id, body.reason);
      if (quarantine.state === 'released') return applied(quarantine);
      return { ...view(quarantine), verdicts: NOTHING };
    }),
    on(contract.keepQuarantine, async ({ by, params, body }) =>
      view(await quarantines.keep(by, params.id, body.reason)),
    ),
  ];
}

const NOTHING: Rejudged = { judged: 0, blocked: 0, released: 0 };

function view(quarantine: Quarantine): contract.Quarantine {
  const { addedAt, releaseAskedAt, releasedAt, ...same } = quarantine;
  return {
    ...same,
    addedAt: time(addedAt),
    ...(releaseAskedAt === undefined ? {} : { releaseAskedAt: time(releaseAskedAt) }),
    ...(releasedAt === undefined ? {} : { releasedAt: time(releasedAt) }),
  };
}
