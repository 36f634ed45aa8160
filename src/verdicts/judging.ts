import type { Inventory } from '../model/inventory.ts';
import type { Verdict } from '../model/verdict.ts';
import { createClockedParts } from '../policy/clocked-parts.ts';
import { decide, type JudgeInput } from '../policy/judge.ts';
import { withOutlook } from '../policy/outlook.ts';
import { underQuarantine } from '../policy/quarantine.ts';
import { clocksOf } from './clock-store.ts';
import { advisoriesVersion, computeArtifact, computeIndex } from './compute-others.ts';
import { VerdictError } from './errors.ts';
import { evaluate, inventoryFacts } from './evaluate.ts';
import { imageState, type MadeInventory } from './image-inventory.ts';
import { loadInventory } from './inventory-store.ts';
import type { Cause } from './ports.ts';
import type { Reckoning } from './reckon.ts';
import type { Serial } from './serial.ts';
import type { Sources } from './sources.ts';
import { type Subject, subjectKey } from './subjects.ts';
import { readVerdict, replaceVerdict, type StoredVerdict, staleCause } from './verdict-store.ts';

const ATTEMPTS = 5;
/** Parsed inventories kept: a pull storm after a new database asks for the same few. */
const INVENTORIES_KEPT = 32;
/** Indexes within indexes: deeper ones are left to the pull of the child. */
const DEEPEST = 4;

export interface JudgingDeps extends Sources {
  readonly serial: Serial;
}

/** A verdict that was put in place, and whether it differs from the one before. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly previous?: Verdict;
  readonly changed: boolean;
}

interface Computed {
  readonly verdict: Verdict;
  readonly reckoning?: Reckoning;
}

/** Judges stored manifests from what is kept about them, and answers with the verdict that holds now. */
export interface Judging {
  /** Judges now and keeps the result. Throws `VerdictError` not_analysed for an image without an inventory. */
  judgeNow(subject: Subject, cause: Cause): Promise<Judgement>;
  /** The kept verdict if it still holds, else a new one; undefined for what was never judged. */
  current(subject: Subject): Promise<Verdict | undefined>;
  inventory(hash: string): Promise<Inventory | undefined>;
  /** Spares the next judgement reading what was just written. */
  remember(made: MadeInventory): void;
  /** All that the verdict on an image is made from now; undefined when it has no inventory. */
  inputOf(subject: Subject): Promise<ImageInput | undefined>;
}

/** What the verdict on an image is made from. */
export interface ImageInput {
  readonly input: JudgeInput;
  readonly inventory: Inventory;
  readonly reckoning: Reckoning;
}

export function createJudging(deps: JudgingDeps): Judging {
  const { db, clock } = deps;
  const inventories = new Map<string, Inventory>();

  async function inventory(hash: string): Promise<Inventory | undefined> {
    const found = inventories.get(hash) ?? (await loadInventory(db, hash));
    if (found) keep(hash, found);
    return found;
  }

  function keep(hash: string, found: Inventory): void {
    inventories.delete(hash);
    inventories.set(hash, found);
    const [oldest] = inventories.keys();
    if (inventories.size > INVENTORIES_KEPT && oldest !== undefined) inventories.delete(oldest);
  }

  async function inputOf(subject: Subject): Promise<ImageInput | undefined> {
    const state = await imageState(db, subject.digest);
    const found = state?.inventory === undefined ? undefined : await inventory(state.inventory);
    if (state?.inventory === undefined || !found) return undefined;
    const { policy, coming = [], version } = await deps.policies.effectivePolicy(subject.projectId);
    const exceptions = await deps.exceptions.granted(subject.projectId);
    const database = deps.advisories.current();
    const { findings: matched, coverage } = evaluate(found, database);
    const findings = await deps.vex.mark(subject, matched, found, policy.vexAuthors);
    const partsOf = createClockedParts([policy, ...coming.map((next) => next.policy)], found.distribution);
    const reckoning = await clocksOf(db, subject, { findings, partsOf }, clock.now());
    const input = {
      subject: subject.digest,
      repository: subject.repository,
      platform: state.platform,
      inventory: inventoryFacts(state.inventory, found),
      findings,
      coverage,
      policy,
      coming,
      policyVersion: version,
      exceptions,
      clocks: reckoning.clocks,
      ...(database ? { advisories: { version: database.version, builtAt: Date.parse(database.builtAt) } } : {}),
      now: clock.now(),
    };
    return { input, inventory: found, reckoning };
  }

  async function judgeImage(subject: Subject): Promise<Computed> {
    const found = await inputOf(subject);
    if (!found)
      throw new VerdictError('not_analysed', `${subject.repository}@${subject.digest} has not been analysed yet`);
    const { input, reckoning } = found;
    return { verdict: withOutlook(decide(input)), reckoning };
  }

  async function compute(subject: Subject, depth: number): Promise<Computed> {
    const computed = await computeAlone(subject, depth);
    const hits = await deps.quarantines.hitsOf([subject]);
    return { ...computed, verdict: underQuarantine(computed.verdict, hits.get(subject.digest) ?? []) };
  }

  async function computeAlone(subject: Subject, depth: number): Promise<Computed> {
    switch (subject.kind) {
      case 'image':
        return judgeImage(subject);
      case 'index': {
        const childVerdict = async (child: Subject) => (depth < DEEPEST ? currentAt(child, depth + 1) : undefined);
        return { verdict: await computeIndex(deps, subject, childVerdict) };
      }
      case 'artifact':
        return { verdict: await computeArtifact(deps, subject) };
    }
  }

  async function judgeAt(subject: Subject, cause: Cause, depth: number): Promise<Judgement> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      // Read before the inputs: whatever changes them afterwards also changes or marks what is kept.
      const quarantined = await deps.quarantines.revision();
      const before = await readVerdict(db, subject.repositoryId, subject.digest);
      const { verdict, reckoning } = await compute(subject, depth);
      const how = { cause, ...(reckoning ? { reckoning } : {}) };
      const outcome = await replaceVerdict(db, subject, before, verdict, how);
      // What came under quarantine meanwhile could not mark a first verdict: it was not there yet.
      if (outcome !== 'lost' && quarantined === (await deps.quarantines.revision()))
        return { verdict, changed: outcome === 'changed', ...(before ? { previous: before.verdict } : {}) };
    }
    throw new VerdictError('contended', `the verdict on ${subject.digest} keeps being replaced; ask again`);
  }

  async function currentAt(subject: Subject, depth: number): Promise<Verdict | undefined> {
    const kept = await readVerdict(db, subject.repositoryId, subject.digest);
    if (!kept) return undefined;
    const cause = await staleness(deps, subject, kept);
    if (cause === undefined) return kept.verdict;
    return deps.serial.run(subjectKey(subject), async () => {
      // Somebody else may have judged while this waited for its turn.
      const again = await readVerdict(db, subject.repositoryId, subject.digest);
      if (again && (await staleness(deps, subject, again)) === undefined) return again.verdict;
      return (await judgeAt(subject, cause, depth)).verdict;
    });
  }

  return {
    judgeNow: (subject, cause) => deps.serial.run(subjectKey(subject), () => judgeAt(subject, cause, 0)),
    current: (subject) => currentAt(subject, 0),
    inventory,
    remember: (made) => keep(made.hash, made.inventory),
    inputOf,
  };
}

/** What made a kept verdict one that cannot be relied on any more; undefined while it holds. */
async function staleness(deps: JudgingDeps, subject: Subject, kept: StoredVerdict): Promise<Cause | undefined> {
  const { version } = await deps.policies.effectivePolicy(subject.projectId);
  if (kept.policyVersion !== version) return 'policy';
  if (kept.advisories !== advisoriesVersion(deps)) return 'advisories';
  const { changesAt } = kept.revision;
  if (changesAt === null || changesAt > deps.clock.now()) return undefined;
  return staleCause(changesAt) ?? 'time';
}
