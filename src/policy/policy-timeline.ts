import { compareText } from '../oci/canonical.ts';
import type { EffectiveSeverity } from './effective-severity.ts';
import { demandsAt, type FindingLine, suppressed, suppressionAt, type WeighedFinding } from './finding-lines.ts';
import type { Policy } from './policy.ts';

/** A policy that is to count from a moment on. Until then what it would stop is only warned of. */
export interface ComingPolicy {
  readonly policy: Policy;
  /** Epoch ms. */
  readonly from: number;
  /** Numbers of the versions that begin then. */
  readonly versions?: readonly number[];
}

/** A policy that is to come, with what a finding's severity is by it. */
export interface ComingWeight extends ComingPolicy {
  readonly severity: EffectiveSeverity;
}

/** A finding under the policy that counts first, and under those to come, in the order of their moments. */
export interface Foreseen {
  readonly weighed: WeighedFinding;
  readonly policy: Policy;
  readonly coming: readonly ComingWeight[];
}

/** The policy that counts at a moment, and the finding under it. */
export function countingAt({ weighed, policy, coming }: Foreseen, now: number): Pick<Foreseen, 'weighed' | 'policy'> {
  const current = coming.findLast(({ from }) => from <= now);
  return current
    ? { weighed: { ...weighed, severity: current.severity }, policy: current.policy }
    : { weighed, policy };
}

/** Everything asked for because of a finding at a moment, what policies to come will ask for among it as a warning. */
export function linesThrough(foreseen: Foreseen, now: number): FindingLine[] {
  const { weighed, policy } = countingAt(foreseen, now);
  const demands = demandsAt(weighed, policy, now);
  if (demands.length === 0 && foreseen.coming.length === 0) return demands;
  const suppression = suppressionAt(weighed, policy, now);
  const ahead = foreseen.coming.filter(({ from }) => from > now);
  if (ahead.length === 0) return suppressed(demands, suppression);
  const byRule = new Map(demands.map((line) => [line.rule, line]));
  for (const future of ahead)
    for (const line of demandsAt({ ...weighed, severity: future.severity }, future.policy, future.from)) {
      const foretold = foretell(line, future.from);
      const known = byRule.get(line.rule);
      if (!foretold || known?.kind === 'block') continue;
      const sooner = known?.deadline !== undefined && known.deadline <= (foretold.deadline ?? Infinity);
      if (!sooner) byRule.set(line.rule, { ...known, ...foretold });
    }
  return suppressed([...byRule.values()], suppression);
}

/** How a line of a policy to come shows before: as a warning with the moment it blocks; not at all when it never does. */
function foretell({ rule, kind, deadline }: FindingLine, from: number): FindingLine | undefined {
  if (kind === 'block') return { rule, kind: 'warn', deadline: from };
  return kind === 'warn' && deadline !== undefined ? { rule, kind, deadline } : undefined;
}

/**
 * The first moment after `now` at which time alone makes this finding count otherwise; undefined when it never does. `lines` are what is
 * asked for now.
 */
export function nextChangeOf(foreseen: Foreseen, now: number, lines: readonly FindingLine[]): number | undefined {
  const { weighed, policy, coming } = foreseen;
  if (coming.length === 0 && weighed.exceptions.length === 0) return nextEnd(lines, now);
  const moments = [
    ...momentsOf(demandsAt(weighed, policy, now)),
    ...coming.flatMap(({ policy: next, severity, from }) => [
      from,
      ...momentsOf(demandsAt({ ...weighed, severity }, next, Math.max(from, now))),
    ]),
    ...weighed.exceptions.flatMap((exception) => [exception.from, exception.until]),
  ];
  const ahead = moments.filter((moment) => moment !== undefined && moment > now) as number[];
  if (ahead.length === 0) return undefined;
  const before = stateAt(foreseen, now);
  return ahead.sort((a, b) => a - b).find((moment) => stateAt(foreseen, moment) !== before);
}

/** Where nothing else bears on them, lines change when the first of their own moments comes. */
function nextEnd(lines: readonly FindingLine[], now: number): number | undefined {
  let next: number | undefined;
  for (const { deadline, heldUntil } of lines)
    for (const moment of [deadline, heldUntil])
      if (moment !== undefined && moment > now && (next === undefined || moment < next)) next = moment;
  return next;
}

function momentsOf(lines: readonly FindingLine[]): readonly (number | undefined)[] {
  return lines.flatMap((line) => [line.deadline, line.heldUntil]);
}

/** A finding that asks for nothing still changes the counts when it is excepted. */
function stateAt(foreseen: Foreseen, now: number): string {
  const { weighed, policy } = countingAt(foreseen, now);
  const isSuppressed = suppressionAt(weighed, policy, now) !== undefined;
  const { severity, source } = weighed.severity;
  const lines = linesThrough(foreseen, now).sort((a, b) => compareText(a.rule, b.rule));
  return JSON.stringify([severity, isSuppressed, lines, lines.length > 0 ? source : undefined]);
}
