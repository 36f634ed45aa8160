import type { SeenImage } from '../cluster/audit-store.ts';
import { breathe } from '../platform/breathe.ts';
import { explain } from '../policy/explain.ts';
import type { Decision } from '../policy/judge.ts';
import type { AdvisoryDatabase } from '../scanner/advisories/types.ts';
import { advisoriesVersion } from '../verdicts/compute-others.ts';
import type { Sources } from '../verdicts/sources.ts';
import { subjectKey } from '../verdicts/subjects.ts';
import { createCalendar } from './calendar.ts';
import { type Difference, describeDifferences, type Former, rulesOf } from './differences.ts';
import { oneAhead } from './one-ahead.ts';
import type { ImageChange, Outcome } from './outcome.ts';
import { frozen, overlaid } from './overlay.ts';
import { createPreparer, type Preparer } from './prepare.ts';
import type { Question } from './question.ts';
import { type Running, resolveRunning } from './running.ts';
import { runningChanges, type Standing } from './standings.ts';
import { holds, judgedKeys, type Stored, storedManifests } from './stored.ts';
import { createSums } from './sums.ts';

/** Entries of each list of an outcome. */
const LISTED = 10_000;
/** Images judged before others get a turn. */
const SLICE = 5;

/** What a simulation reads. */
export interface SimulateDeps extends Sources {
  /** Hosts (with port) under which images of this registry are referred to. */
  readonly hosts: readonly string[];
  readonly cluster: { images(query: { readonly current: boolean }): Promise<readonly SeenImage[]> };
  readonly trust: {
    list(): Promise<readonly { readonly entry: string; readonly state: string; readonly reviewDue: number }[]>;
  };
  /** The opened file of advisories that the question is about. */
  readonly candidate?: AdvisoryDatabase;
}

/**
 * Says what would become of everything stored and everything running if things were as the question has them. Reads only, and
 * judges as verdicts are made. Decisions that hold now are taken as they are kept.
 */
export async function simulate(deps: SimulateDeps, question: Question): Promise<Outcome> {
  const kept = frozen(deps);
  const { db } = kept;
  const now = kept.clock.now();
  const at = question.at ?? now;
  const sources = overlaid(kept, question, deps.candidate);
  const areJudged = (subjects: Parameters<Preparer>[0]) => judgedKeys(db, subjects);
  const [before, after] = [createPreparer(kept, areJudged), createPreparer(sources, areJudged)];
  const running = await resolveRunning(db, deps.hosts, await deps.cluster.images({ current: true }));
  const pulls = countPulls(running);
  const calendar = question.until === undefined ? undefined : createCalendar(question.until);

  const images = { judged: 0, blockedBefore: 0, blockedAfter: 0, blocked: 0, allowed: 0, warned: 0, unwarned: 0 };
  const [byRule, byRepository] = [createSums(), createSums()];
  const changes: ImageChange[] = [];
  const standings = new Map<string, Standing>();
  async function* preparedPages() {
    for await (const page of storedManifests(db, question.projectId))
      yield {
        page,
        prepared: await after(page.map(({ subject }) => subject)),
        formers: await formersOf(kept, page, before),
      };
  }
  for await (const { page, prepared, formers } of oneAhead(preparedPages())) {
    const differences: Difference[] = [];
    for (const [number, { subject }] of page.entries()) {
      // The next page is read meanwhile.
      if (number % SLICE === 0) await breathe();
      const key = subjectKey(subject);
      const [decisionAt, former] = [prepared.get(key), formers.get(key)];
      if (!decisionAt || !former) continue;
      const decision = decisionAt(at);
      count(images, former.kind, decision.kind);
      const runs = pulls.get(key);
      if (former.kind !== decision.kind) differences.push({ subject, former, verdict: decision.told() });
      if (runs !== undefined) standings.set(key, standingOf(former, decision));
      if (!calendar) continue;
      const { coming: policies = [] } = await sources.policies.effectivePolicy(subject.projectId);
      await calendar.follow(subject, decision, { runs: runs ?? 0, coming: policies });
    }
    for (const change of await describeDifferences(db, differences)) {
      if (changes.length < LISTED) changes.push(change);
      if (change.before !== 'block' && change.after !== 'block') continue;
      const what = change.after === 'block' ? 'blocked' : 'allowed';
      byRule.add(change.rules, what);
      byRepository.add([change.repository], what);
    }
  }

  const trusted = (await deps.trust.list()).filter(({ state }) => state === 'approved' || state === 'review due');
  const retired = new Set(question.retired ?? []);
  // Trusted sources are those of all projects.
  for (const { entry, reviewDue } of trusted)
    if (question.projectId === undefined && reviewDue > at && !retired.has(entry))
      calendar?.note(reviewDue, { event: 'trust-review-due', subject: entry });
  const entries = trusted.map(({ entry }) => entry);
  const trust = question.retired && { before: entries, after: entries.filter((entry) => !retired.has(entry)) };
  // A question about one project is about nothing else that runs.
  const concerned = question.projectId === undefined ? running : running.filter((one) => standings.has(keyOf(one)));
  const { fails, ...ofRunning } = runningChanges(concerned, (one) => standings.get(keyOf(one)), trust);
  const coming = calendar?.list();
  return {
    at,
    computedAt: now,
    advisories: { before: advisoriesVersion(kept), after: advisoriesVersion(sources) },
    images,
    ...ofRunning,
    byRule: byRule.list(),
    byRepository: byRepository.list(),
    changes,
    fails: fails.slice(0, LISTED),
    ...(coming ? { calendar: coming.slice(0, LISTED) } : {}),
    cut: [
      ...(images.blocked + images.allowed + images.warned + images.unwarned > changes.length
        ? ['changes' as const]
        : []),
      ...(fails.length > LISTED ? ['fails' as const] : []),
      ...(calendar?.cut === true || (coming?.length ?? 0) > LISTED ? ['calendar' as const] : []),
    ],
  };
}

/** The decisions that pulls would get now. */
async function formersOf(
  kept: Sources,
  page: readonly Stored[],
  before: Preparer,
): Promise<ReadonlyMap<string, Former>> {
  const formers = new Map<string, Former>();
  const overtaken: Stored[] = [];
  for (const stored of page)
    if (await holds(kept, stored)) formers.set(subjectKey(stored.subject), { kind: stored.kind });
    else overtaken.push(stored);
  const now = kept.clock.now();
  for (const [key, decisionAt] of await before(overtaken.map(({ subject }) => subject))) {
    const decision = decisionAt(now);
    formers.set(key, { kind: decision.kind, verdict: decision.told() });
  }
  return formers;
}

function count(images: { -readonly [Name in keyof Outcome['images']]: number }, before: string, after: string): void {
  images.judged += 1;
  images.blockedBefore += Number(before === 'block');
  images.blockedAfter += Number(after === 'block');
  images.blocked += Number(after === 'block' && before !== 'block');
  images.allowed += Number(before === 'block' && after !== 'block');
  images.warned += Number(after === 'warn' && before === 'allow');
  images.unwarned += Number(before === 'warn' && after === 'allow');
}

function standingOf(former: Former, decision: Decision): Standing {
  const before = former.kind === 'block';
  if (decision.kind !== 'block') return { before, after: false, rules: [], why: '' };
  const verdict = decision.told();
  return { before, after: true, rules: rulesOf(verdict), why: explain(verdict) };
}

/** Containers by the key of what their next pull gets. */
function countPulls(running: readonly Running[]): ReadonlyMap<string, number> {
  const pulls = new Map<string, number>();
  for (const one of running) if (one.pulls) pulls.set(keyOf(one), (pulls.get(keyOf(one)) ?? 0) + 1);
  return pulls;
}

function keyOf({ pulls }: Running): string {
  return pulls ? subjectKey(pulls) : '';
}
