import { constraintOfContent } from '../constraints/deciding-content.ts';
import { type EvaluateDeps, type EvaluatedLine, EvaluationError, evaluate } from '../constraints/evaluate.ts';
import type { Rules } from '../constraints/rules.ts';
import { denies } from './denies.ts';
import type { AdmissionRequest } from './parse-review.ts';
import type { RuleHistory, RuleVersion } from './rule-history.ts';

/** Since when an image is denied without a break, and whether it was at some earlier moment. Epoch ms. */
export interface DeniedTimes {
  /** Undefined when nobody knows. */
  readonly since: number | undefined;
  readonly deniedAt: (moment: number) => boolean;
}

/** Answers for the lines that deny one request. */
export type DenialClock = (line: EvaluatedLine) => DeniedTimes;

/**
 * Looks through what constraints said earlier about the object of a request. Only a change that made an image denied is
 * the rule that denies it: any other edit, and one that denies it in other words, leaves the moment where it was.
 */
export function createDenialClock(
  deps: EvaluateDeps,
  rules: Rules,
  { object, namespace }: AdmissionRequest,
  history: Pick<RuleHistory, 'versions'>,
): DenialClock {
  const judged = new Map<RuleVersion, ReadonlyMap<string, number>>();

  function judge({ constraint: { kind, name } }: EvaluatedLine, { content }: RuleVersion): ReadonlyMap<string, number> {
    const denied = new Map<string, number>();
    const earlier = content === '' ? undefined : constraintOfContent(kind, name, content);
    if (earlier === undefined) return denied;
    for (const line of linesUnder(earlier)) {
      const from = beginOf(line, Number.NEGATIVE_INFINITY);
      if (from !== undefined && denies(line)) denied.set(line.image, Math.min(from, denied.get(line.image) ?? from));
    }
    return denied;
  }
  function linesUnder(earlier: EvaluatedLine['constraint']): EvaluatedLine[] {
    try {
      const input = { object, ...(namespace === undefined ? {} : { namespace }) };
      return evaluate(deps, { ...rules, constraints: [earlier] }, 'validation.gatekeeper.sh', input);
    } catch (error) {
      // It asked for the labels of a namespace that are not known now: nobody can say that it denied anything.
      if (error instanceof EvaluationError) return [];
      throw error;
    }
  }
  /** When a version that is not in force any more began to deny the image of a line. */
  function beganUnder(version: RuleVersion, line: EvaluatedLine): number | undefined {
    const denied = judged.get(version) ?? judge(line, version);
    judged.set(version, denied);
    const from = denied.get(line.image);
    return from === undefined ? undefined : Math.max(from, version.from);
  }

  return (line) => {
    const { constraint } = line;
    const versions = history.versions(constraint.kind, constraint.name);
    let since = beginOf(line, versions.at(-1)?.from ?? constraint.since);
    for (let at = versions.length - 2; at >= 0 && since !== undefined; at -= 1) {
      const [version, next] = [versions[at], versions[at + 1]];
      // Denied only from some moment after the change on: the change did not do it.
      if (version === undefined || next === undefined || since > next.from) break;
      const from = beganUnder(version, line);
      if (from === undefined || from >= next.from) break;
      since = from;
    }
    return {
      since,
      deniedAt(moment) {
        if (since !== undefined && moment >= since) return true;
        const version = versions.findLast(({ from }) => from <= moment);
        const from = version && beganUnder(version, line);
        return from !== undefined && from <= moment;
      },
    };
  };
}

/** When a line begins to be true under a rule in force since `from`; undefined when nobody knows. */
function beginOf({ kind, since }: EvaluatedLine, from: number | undefined): number | undefined {
  if (kind === 'untrusted' || since === undefined) return kind === 'untrusted' ? from : undefined;
  return from === undefined ? since : Math.max(from, since);
}
