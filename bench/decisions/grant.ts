import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { createFeed } from '../../src/facts/feed.ts';
import { EVERYTHING } from '../../src/facts/scope.ts';
import { placeOfUpstream } from '../../src/mirror/mirrored-address.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { defaultPolicy } from '../../src/policy/policy.ts';
import { pullable, somePuller } from './gate.ts';
import type { Figure, Row } from './row.ts';
import { findProject, HOST, somebody, somebodyElse, type World } from './world.ts';

const DAY = 86_400_000;
const PATIENCE_MS = 60_000;

/** Exceptions for everything that blocks one image are granted: until the gate serves it, and until guards are told so. */
export const grantRow: Row = {
  name: 'grant',
  async measure(world, round): Promise<readonly Figure[]> {
    const { policies, exceptions, verdicts } = world;
    const project = await findProject(world);
    const document = { ...defaultPolicy, block: { fixable: 'critical', unfixable: 'off' } } as const;
    const { changed } = await policies.set(somebody, 'installation', document, { reason: 'for exceptions' });
    if (changed) await verdicts.rejudgeAll('policy');
    const { subject, verdict } = await blockedImage(world, round);
    const blocking = new Set(verdict.reasons.filter(({ kind }) => kind === 'block').map((line) => line.vulnerability));
    const requests = [];
    for (const vulnerability of blocking) {
      if (vulnerability === undefined) throw new Error('only findings are to block this image');
      const until = systemClock.now() + 30 * DAY;
      const asked = { vulnerability, digest: subject.digest, reason: 'bench', until };
      requests.push(await exceptions.request(somebody, project, asked));
    }
    const feed = createFeed({
      database: world.handle,
      clock: world.clock,
      logger: silentLogger,
      hosts: [HOST],
      placeOf: placeOfUpstream,
    });
    try {
      const told = await wholeFeed(feed);
      const began = performance.now();
      for (const { id } of requests) await exceptions.grant(somebodyElse, project, id, { reason: 'bench' });
      const followed = verdicts.rejudgeProject(project.id, 'exception');
      const guard = untilTold(feed, told, subject, began);
      const gate = await untilServed(world, subject, began);
      const atGuard = await guard;
      await followed;
      return [
        { what: 'a grant works at the gate', value: gate / 1000, unit: 's', goal: 1 },
        { what: 'a grant works at a guard', value: atGuard / 1000, unit: 's', goal: 5 },
      ];
    } finally {
      feed.close();
    }
  },
};

type Subject = Awaited<ReturnType<typeof pullable>>[number];
type Feed = ReturnType<typeof createFeed>;

async function blockedImage(world: World, round: number): Promise<{ subject: Subject; verdict: Verdict }> {
  for (const subject of (await pullable(world, 2000)).slice(round * 50)) {
    const verdict = await world.verdicts.verdictFor(subject.repository, subject.digest);
    if (
      verdict?.kind === 'block' &&
      verdict.reasons.every(({ kind, vulnerability }) => kind !== 'block' || vulnerability)
    )
      return { subject, verdict };
  }
  throw new Error('no image is blocked');
}

async function untilServed({ verdicts }: World, subject: Subject, began: number): Promise<number> {
  while (performance.now() - began < PATIENCE_MS) {
    if ((await verdicts.gate.decide(subject, somePuller)).kind === 'serve') return performance.now() - began;
    await delay(5);
  }
  throw new Error('the gate never served it');
}

/** Reads everything there is; gives where to go on. */
async function wholeFeed(feed: Feed): Promise<string> {
  let cursor: string | undefined;
  for (;;) {
    const page = await feed.read({ scope: EVERYTHING, ...(cursor === undefined ? {} : { cursor }), waitMs: 0 });
    cursor = page.cursor;
    if (page.complete) return cursor;
  }
}

async function untilTold(feed: Feed, from: string, { repository, digest }: Subject, began: number): Promise<number> {
  for (let cursor = from; performance.now() - began < PATIENCE_MS; ) {
    const page = await feed.read({ scope: EVERYTHING, cursor, waitMs: 1000 });
    cursor = page.cursor;
    if (JSON.stringify(page).includes(digest)) return performance.now() - began;
  }
  throw new Error(`no guard was told about ${repository}@${digest}`);
}
