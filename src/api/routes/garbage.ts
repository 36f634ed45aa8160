import { actorOf } from '../../auth/principal.ts';
import * as contract from '../contract/garbage.ts';
import type { ApiDeps } from '../deps.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

export function garbageRoutes({ garbage }: ApiDeps): BoundEndpoint[] {
  return [
    on(contract.gcStatus, async () => {
      const { delayMs, lastRun, scrub, ...status } = await garbage.status();
      return {
        ...status,
        delaySeconds: delayMs / 1000,
        ...(lastRun ? { lastRun: { ...lastRun, at: time(lastRun.at) } } : {}),
        ...(scrub ? { scrub: scrubView(scrub) } : {}),
      };
    }),
    on(contract.runGc, async ({ by, body }) =>
      body.dryRun ? garbage.lookAhead() : garbage.run(undefined, actorOf(by)),
    ),
  ];
}

type Scrub = NonNullable<Awaited<ReturnType<ApiDeps['garbage']['status']>>['scrub']>;

function scrubView({ startedAt, finishedAt, checked, bytes, damaged, unreadable }: Scrub) {
  return {
    startedAt: time(startedAt),
    ...(finishedAt === undefined ? {} : { finishedAt: time(finishedAt) }),
    checked,
    bytes,
    damaged,
    unreadable,
  };
}
