import type { Finding } from '../model/finding.ts';
import { type Distribution } from '../model/inventory.ts';
import { SEVERITIES, severityRank } from '../model/severity.ts';
import type { Clocked } from './clocks.ts';
import { effectiveSeverity } from './effective-severity.ts';
import type { FindingRun } from './finding-runs.ts';
import type { Policy } from './policy.ts';

/** What a finding is now that has a clock of its own. */
export interface ClockedParts {
  readonly parts: readonly Clocked[];
  /** Whether its score reaches the policy's threshold; undefined where there is none. */
  readonly likely?: { readonly threshold: number; readonly above: boolean };
}

const LOWEST = severityRank('low');

/** Tells of findings in images of a distribution what they are under a policy; of several policies the worst. */
export function createClockedParts(
  policies: readonly Policy[],
  distribution: Distribution | undefined,
): (finding: Finding) => ClockedParts {
  const known = memoryOf<Finding, ClockedParts>(memories, policies, distribution);
  return (finding) => {
    const before = known.get(finding);
    if (before) return before;
    const parts = partsOf(finding, policies, distribution);
    known.set(finding, parts);
    return parts;
  };
}

/** The same of each finding of a run. */
export function createClockedRuns(
  policies: readonly Policy[],
  distribution: Distribution | undefined,
): (run: FindingRun) => readonly ClockedParts[] {
  const known = memoryOf<FindingRun, readonly ClockedParts[]>(runMemories, policies, distribution);
  return (run) => {
    const before = known.get(run);
    if (before) return before;
    const parts = run.map((finding) => partsOf(finding, policies, distribution));
    known.set(run, parts);
    return parts;
  };
}

function partsOf(finding: Finding, policies: readonly Policy[], distribution: Distribution | undefined): ClockedParts {
  const rank = Math.max(...policies.map((policy) => effectiveSeverity(finding, distribution, policy).rank));
  const level = rank >= LOWEST ? (SEVERITIES[rank] as Clocked) : undefined;
  const parts: Clocked[] = [
    ...(finding.fixed === undefined ? [] : (['fix'] as const)),
    ...(finding.kev === undefined ? [] : (['kev'] as const)),
    ...(level === undefined ? [] : [level]),
  ];
  const threshold = policies[0]?.epss.threshold ?? null;
  if (threshold === null) return { parts };
  return { parts, likely: { threshold, above: finding.epss !== undefined && finding.epss.probability >= threshold } };
}

/** What was found out lives as long as the policies: they are frozen and kept. */
type Memories<Key extends object, Value> = WeakMap<Policy, Map<string, WeakMap<Key, Value>>>;

const memories: Memories<Finding, ClockedParts> = new WeakMap();
const runMemories: Memories<FindingRun, readonly ClockedParts[]> = new WeakMap();

function memoryOf<Key extends object, Value>(
  kept: Memories<Key, Value>,
  policies: readonly Policy[],
  distribution: Distribution | undefined,
): WeakMap<Key, Value> {
  const [policy, ...others] = policies;
  if (!policy || others.length > 0) return new WeakMap();
  const ofPolicy = kept.get(policy) ?? new Map<string, WeakMap<Key, Value>>();
  kept.set(policy, ofPolicy);
  const key = JSON.stringify([distribution?.id, distribution?.idLike]);
  const memory = ofPolicy.get(key) ?? new WeakMap<Key, Value>();
  ofPolicy.set(key, memory);
  return memory;
}
