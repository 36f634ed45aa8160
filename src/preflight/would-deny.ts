import { createWorkloadJudge, type WorkloadFinding } from '../audit/judge-workload.ts';
import { readKnownFacts } from '../audit/known-facts.ts';
import { createLiveCache, type LiveCache } from '../audit/live-cache.ts';
import { type ReportedViolation, reportedViolations } from '../audit/reported-violations.ts';
import type { ImageFactsSource } from '../constraints/image-facts.ts';
import type { NamespaceLabels } from '../constraints/match.ts';
import type { Rules } from '../constraints/rules.ts';
import type { WatchDeps } from '../kubernetes/watch-collection.ts';
import type { NamedImage } from './short-names.ts';

/** What runs in a cluster, read once. */
export interface ClusterContent {
  /** What the first audit would list; where the constraint denies, these could not be made again. */
  readonly violations: readonly ReportedViolation[];
  readonly images: readonly NamedImage[];
  readonly objects: number;
  /** Kinds that could not be read, and objects that could not be judged, with the reason. */
  readonly incomplete: readonly { readonly kind: string; readonly reason: string }[];
}

export interface WouldDenyDeps extends WatchDeps {
  readonly facts: ImageFactsSource;
  readonly namespaceLabels: NamespaceLabels;
}

/**
 * Judges everything that runs as the first audit of a guard does, with the same functions, and writes nothing. Kinds that
 * cannot be read are named.
 */
export async function judgeCluster(deps: WouldDenyDeps, rules: Rules): Promise<ClusterContent> {
  const cache = createLiveCache(deps);
  try {
    await cache.settled();
    return await judgeCache(deps, rules, cache);
  } finally {
    await cache.stop();
  }
}

async function judgeCache(deps: WouldDenyDeps, rules: Rules, cache: LiveCache): Promise<ClusterContent> {
  const workloads = [...cache.all()];
  const texts = new Set(workloads.flatMap(({ images }) => images.map(({ image }) => image)));
  const { facts } = await readKnownFacts(deps.facts, texts);
  const judge = createWorkloadJudge(rules, facts, deps.namespaceLabels);
  const findings = new Map<string, readonly WorkloadFinding[]>();
  const incomplete = cache.unseen().map(({ kind, reason }) => ({ kind, reason }));
  for (const workload of workloads) {
    const judged = judge.judge(workload);
    const { kind, namespace, name } = workload;
    if (judged.problem !== undefined) incomplete.push({ kind, reason: `${namespace}/${name}: ${judged.problem}` });
    if (judged.findings.length > 0) findings.set(workload.uid, judged.findings);
  }
  return {
    violations: reportedViolations(cache, findings, []),
    images: workloads.flatMap(({ images, kind, namespace, name }) =>
      images.map(({ image }) => ({ image, where: `${kind} ${namespace}/${name}` })),
    ),
    objects: workloads.length,
    incomplete,
  };
}
