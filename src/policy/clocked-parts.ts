import type { Finding } from '../model/finding.ts';
import { type Distribution } from '../model/inventory.ts';
import { SEVERITIES, severityRank } from '../model/severity.ts';
import type { Clocked } from './clocks.ts';
import { effectiveSeverity } from './effective-severity.ts';
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
  const known = memoryOf(policies, distribution);
  return (finding) => {
    const before = known.get(finding);
    if (before) return before;
    const parts = partsOf(finding, policies, distribution);
    known.set(finding, parts);
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

/** Policies are frozen and kept; what was found out lives as long as they do. */
const memories = new WeakMap<Policy, Map<string, WeakMap<Finding, ClockedParts>>>();

function memoryOf(policies: readonly Policy[], distribution: Distribution | undefined): WeakMap<Finding, ClockedParts> {
  const [policy, ...others] = policies;
  if (!policy || others.length > 0) return new WeakMap();
  const ofPolicy = memories.get(policy) ?? new Map<string, WeakMap<Finding, ClockedParts>>();
  memories.set(policy, ofPolicy);
  const key = JSON.stringify([distribution?.id, distribution?.idLike]);
  const memory = ofPolicy.get(key) ?? new WeakMap<Finding, ClockedParts>();
  ofPolicy.set(key, memory);
  return memory;
}
