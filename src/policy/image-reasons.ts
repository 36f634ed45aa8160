import type { Coverage } from '../model/coverage.ts';
import type { Reason, Rule, VerdictKind } from '../model/verdict.ts';
import { toRfc3339 } from '../platform/clock.ts';
import type { InventoryFacts } from './judge-input.ts';
import { type Action, isGated, type Policy } from './policy.ts';
import type { ComingPolicy } from './policy-timeline.ts';
import { advisoryAgeLimit } from './thresholds.ts';

interface ImageFacts {
  readonly inventory: InventoryFacts;
  readonly coverage: Coverage;
  readonly policy: Policy;
  readonly coming?: readonly ComingPolicy[];
  readonly advisories?: { readonly version: string; readonly builtAt: number };
}

/**
 * What is to be said about the image as a whole at a moment: whether it could be read, and how far the facts about it reach.
 * Listed even where the policy ignores it, so that silence is never taken for health.
 */
export function imageReasons(facts: ImageFacts, now: number): Reason[] {
  const { coming = [] } = facts;
  const policy = coming.findLast(({ from }) => from <= now)?.policy ?? facts.policy;
  const reasons = new Map(reasonsAt({ ...facts, policy }, now).map((line) => [keyOf(line), line]));
  for (const { policy: next, from } of coming.filter((one) => one.from > now))
    for (const line of reasonsAt({ ...facts, policy: next }, from)) {
      const known = reasons.get(keyOf(line));
      if (line.kind !== 'block' || known?.kind === 'block' || known?.deadline !== undefined) continue;
      const message = `${line.message}; a policy that counts from ${toRfc3339(from)} on blocks this`;
      reasons.set(keyOf(line), { ...line, kind: 'warn', deadline: from, message });
    }
  return [...reasons.values()];
}

function keyOf({ rule, message }: Reason): string {
  return `${rule} ${message}`;
}

/** Moments at which `imageReasons` may change by itself, epoch ms. */
export function imageMoments(facts: ImageFacts): number[] {
  const { coming = [] } = facts;
  return [
    endOfLifeMoment(facts.coverage),
    ageMoment(facts),
    ...coming.flatMap(({ policy, from }) => [from, ageMoment({ ...facts, policy })]),
  ].filter((moment) => moment !== undefined);
}

function reasonsAt(facts: ImageFacts, now: number): Reason[] {
  return [...unscannable(facts), ...endOfLife(facts, now), ...advisoryAge(facts, now), ...advisoryReach(facts)];
}

function unscannable({ inventory, coverage, policy }: ImageFacts): Reason[] {
  const action = policy.unscannable === 'block' && !isGated(policy) ? 'warn' : policy.unscannable;
  const reasons: Reason[] = [];
  if (!inventory.complete) {
    const [gap] = inventory.gaps.map(({ message }) => message).sort();
    const why = gap === undefined ? 'a layer could not be read' : gap;
    reasons.push(reason('unscannable', action, `the image could not be read completely: ${why}`, 'analyser'));
  }
  if (!coverage.distribution.recognised) {
    const { name } = coverage.distribution;
    const what =
      name === undefined ? 'no known distribution was found in the image' : `the distribution ${name} is not supported`;
    const message = `${what}, so what it holds cannot be compared with advisories`;
    reasons.push(reason('unscannable', action, message, 'analyser'));
  }
  if (coverage.distribution.recognised && inventory.distributionPackages === 0) {
    const name = coverage.distribution.name ?? 'its distribution';
    const message = `the image says it is ${name}, but holds no list of installed packages, so nothing is known of them`;
    reasons.push(reason('unscannable', action, message, 'analyser'));
  }
  return reasons;
}

function endOfLife({ coverage, policy }: ImageFacts, now: number): Reason[] {
  const moment = endOfLifeMoment(coverage);
  if (moment === undefined || now < moment) return [];
  const { name, endOfLife: day } = coverage.distribution;
  const message = `${name ?? 'the distribution'} gets no more fixes since ${day}; move to a supported release`;
  return [reason('end-of-life', policy.endOfLife, message, 'analyser')];
}

function advisoryAge(facts: ImageFacts, now: number): Reason[] {
  const moment = ageMoment(facts);
  if (moment === undefined || now < moment || !facts.advisories) return [];
  const built = toRfc3339(facts.advisories.builtAt);
  const limit = facts.policy.advisoryAge.days;
  const message = `the advisory database was built ${built}, more than ${limit} days ago; import a newer one with: breakwater db import FILE`;
  return [reason('advisory-age', facts.policy.advisoryAge.action, message, 'advisories')];
}

function advisoryReach({ coverage, policy }: ImageFacts): Reason[] {
  const incomplete = new Map<string, string>();
  const complete = new Set<string>();
  for (const { ecosystem, completeness } of coverage.sources) {
    if (completeness === 'complete') complete.add(ecosystem);
    else incomplete.set(ecosystem, `the advisories for ${ecosystem} are a sample, not the complete set`);
  }
  for (const ecosystem of complete) incomplete.delete(ecosystem);
  for (const ecosystem of coverage.missing) incomplete.set(ecosystem, `there are no advisories for ${ecosystem} here`);
  const remedy = 'get the complete set with: breakwater db build --from DIR --out FILE, then breakwater db import FILE';
  return [...incomplete.values()].map((what) =>
    reason('advisory-sample', policy.advisorySample, `${what}; ${remedy}`, 'advisories'),
  );
}

function endOfLifeMoment(coverage: Coverage): number | undefined {
  const day = coverage.distribution.endOfLife;
  const moment = day === undefined ? Number.NaN : Date.parse(day);
  return Number.isNaN(moment) ? undefined : moment;
}

function ageMoment({ advisories, policy }: ImageFacts): number | undefined {
  const limit = advisoryAgeLimit(policy);
  return advisories === undefined || limit === undefined ? undefined : advisories.builtAt + limit;
}

function reason(rule: Rule, action: Action, message: string, source: string): Reason {
  const kind: VerdictKind = action === 'ignore' ? 'allow' : action;
  return { rule, kind, severity: 'none', message, source };
}
