import type { ImageFactsSource } from '../constraints/image-facts.ts';
import type { NamespaceLabels } from '../constraints/match.ts';
import type { Rules } from '../constraints/rules.ts';
import { type HeldWorkload, judgedAlike, runsAlike } from './held-workload.ts';
import { createWorkloadJudge, type WorkloadFinding, type WorkloadJudge } from './judge-workload.ts';
import { changedImages, type KnownFacts, readKnownFacts } from './known-facts.ts';
import type { LiveCache, UnseenKind } from './live-cache.ts';

export interface AuditStateDeps {
  readonly cache: LiveCache;
  readonly facts: ImageFactsSource;
  readonly namespaceLabels: NamespaceLabels;
}

/** What one look at the cluster came to. */
export interface Judgement {
  /** By uid, of workloads that something is wrong with, in no order. */
  readonly findings: ReadonlyMap<string, readonly WorkloadFinding[]>;
  /** Kinds with an object that could not be judged, and why. */
  readonly unjudged: readonly UnseenKind[];
  /** Something about findings, or about what stands where, may differ from the look before. */
  readonly changed: boolean;
  /** How many workloads were judged in this look. */
  readonly judged: number;
}

/** Keeps what is wrong with each workload, and judges again only what changed, or all of it when the rules did. */
export interface AuditState {
  judge(rules: Rules): Promise<Judgement>;
  /** Forgets everything, as if nothing had been judged yet. */
  reset(): void;
  stop(): void;
}

/** Objects are judged this many at a time, so that webhook reviews in the same process never wait long. */
const AT_ONCE = 500;

export function createAuditState({ cache, facts, namespaceLabels }: AuditStateDeps): AuditState {
  const findings = new Map<string, readonly WorkloadFinding[]>();
  const unjudged = new Map<string, UnseenKind>();
  /** To be judged again; every workload of the cache while `judge` is undefined. */
  const dirty = new Set<string>();
  let changed = true;
  let known: KnownFacts | undefined;
  let rulesInForce: Rules | undefined;
  let judge: WorkloadJudge | undefined;
  let labelsSeen = new Map<string, string>();

  const unlisten = cache.listen({
    changed(now, before) {
      if (before === undefined || !judgedAlike(now, before)) {
        dirty.add(now.uid);
        changed = true;
      } else if (!runsAlike(now, before)) changed = true;
    },
    removed({ uid }) {
      dirty.delete(uid);
      findings.delete(uid);
      unjudged.delete(uid);
      changed = true;
    },
  });

  function judgeAll(): void {
    for (const { uid } of cache.all()) dirty.add(uid);
  }

  async function takeFacts(rules: Rules): Promise<void> {
    const asks = rules.constraints.some(({ trusts, options }) => trusts && !options.compat);
    const now = asks ? await readKnownFacts(facts, imagesIn(cache)) : NOTHING_KNOWN;
    const differ = known === undefined ? undefined : changedImages(known, now);
    known = now;
    if (differ === undefined || differ.size === 0) return;
    judge = undefined;
    for (const one of cache.all()) if (one.images.some(({ image }) => differ.has(image))) dirty.add(one.uid);
  }

  /** Labels decide only where a constraint selects namespaces by them. */
  function takeNamespaces(rules: Rules): void {
    if (!rules.constraints.some(({ match }) => match.namespaceSelector)) {
      labelsSeen = new Map();
      return;
    }
    const now = new Map<string, string>();
    for (const { namespace } of cache.all())
      if (!now.has(namespace)) now.set(namespace, JSON.stringify(namespaceLabels(namespace) ?? null));
    const differ = new Set([...now].flatMap(([name, text]) => (labelsSeen.get(name) === text ? [] : [name])));
    labelsSeen = now;
    if (differ.size === 0) return;
    judge = undefined;
    for (const one of cache.all()) if (differ.has(one.namespace)) dirty.add(one.uid);
  }

  function judgeOne(workload: HeldWorkload, by: WorkloadJudge): void {
    const { findings: found, problem } = by.judge(workload);
    if (found.length > 0) findings.set(workload.uid, found);
    else findings.delete(workload.uid);
    if (problem === undefined) unjudged.delete(workload.uid);
    else
      unjudged.set(workload.uid, { kind: workload.kind, reason: `${workload.namespace}/${workload.name}: ${problem}` });
  }

  return {
    async judge(rules) {
      if (rulesInForce !== rules) {
        rulesInForce = rules;
        judge = undefined;
        judgeAll();
      }
      await takeFacts(rules);
      takeNamespaces(rules);
      // What could not be judged may be possible now.
      for (const uid of unjudged.keys()) dirty.add(uid);
      judge ??= createWorkloadJudge(rules, known?.facts ?? NOTHING_KNOWN.facts, namespaceLabels);
      const by = judge;
      const differs = changed || dirty.size > 0;
      changed = false;
      let judged = 0;
      // What changes meanwhile joins the set and is judged too, or waits for the next look.
      for (const uid of dirty) {
        dirty.delete(uid);
        const workload = cache.held(uid);
        if (workload === undefined) continue;
        judgeOne(workload, by);
        judged += 1;
        if (judged % AT_ONCE === 0) await new Promise(setImmediate);
      }
      return { findings, unjudged: byKind(unjudged.values()), changed: differs, judged };
    },
    reset() {
      findings.clear();
      unjudged.clear();
      rulesInForce = undefined;
      known = undefined;
      changed = true;
    },
    stop: unlisten,
  };
}

const NOTHING_KNOWN: KnownFacts = {
  facts: {
    verdicts: { verdictOf: () => undefined },
    mirrors: { addressOf: () => undefined },
    digests: { digestOf: (reference) => reference.digest },
  },
  prints: new Map(),
};

/** Each image that anything in the cluster names, once. */
function imagesIn(cache: LiveCache): Set<string> {
  const lists = new Set<HeldWorkload['images']>();
  for (const { images } of cache.all()) lists.add(images);
  const texts = new Set<string>();
  for (const list of lists) for (const { image } of list) texts.add(image);
  return texts;
}

/** One line for each kind: the first problem, and how many more there are. */
function byKind(all: Iterable<UnseenKind>): UnseenKind[] {
  const kinds = new Map<string, { reason: string; more: number }>();
  for (const { kind, reason } of all) {
    const first = kinds.get(kind);
    if (first) first.more += 1;
    else kinds.set(kind, { reason, more: 0 });
  }
  return [...kinds].map(([kind, { reason, more }]) => ({
    kind,
    reason: more === 0 ? reason : `${reason} (and ${more} more)`,
  }));
}
