import type { Reason } from '../model/verdict.ts';
import { describeTime } from './describe.ts';
import type { ImageExceptions } from './exception-index.ts';
import { isInForce, lastsLongest } from './exception-match.ts';
import { EXCEPTION_RULES, type GrantedException } from './exceptions.ts';
import { imageMoments, imageReasons } from './image-reasons.ts';
import type { JudgeInput } from './judge-input.ts';
import { compareReasons } from './reason-order.ts';

/** The exceptions from rules about the image as a whole, whatever the time. */
export function ruleExceptions(exceptions: ImageExceptions): readonly GrantedException[] {
  return EXCEPTION_RULES.flatMap((rule) => exceptions.aboutRule(rule));
}

/** What is to be said about the image as a whole at a moment. Excepted lines stay listed, and ask for nothing. */
export function imageLines(input: JudgeInput, granted: readonly GrantedException[], now: number): readonly Reason[] {
  const reasons = imageReasons(input, now);
  const inForce = granted.filter((exception) => isInForce(exception, now));
  return inForce.length === 0 ? reasons : reasons.map((reason) => except(reason, inForce, now));
}

/** The first moment after `now` at which those lines, as they are now, change by time alone. */
export function imageChange(
  input: JudgeInput,
  granted: readonly GrantedException[],
  { lines, now }: { readonly lines: readonly Reason[]; readonly now: number },
): number | undefined {
  const moments = [...imageMoments(input), ...granted.flatMap(({ from, until }) => [from, until])];
  const ahead = moments.filter((moment) => moment > now).sort((a, b) => a - b);
  if (ahead.length === 0) return undefined;
  const before = textOf(lines);
  return ahead.find((moment) => textOf(imageLines(input, granted, moment)) !== before);
}

function textOf(lines: readonly Reason[]): string {
  return JSON.stringify([...lines].sort(compareReasons));
}

function except(reason: Reason, inForce: readonly GrantedException[], now: number): Reason {
  const exception = lastsLongest(
    inForce.filter(({ rule }) => rule === reason.rule),
    now,
  );
  if (!exception) return reason;
  const suppressedBy = { exception: exception.id, until: exception.until };
  const excepted: Reason = { ...reason, kind: 'allow', suppressedBy };
  return { ...excepted, message: `${reason.message}; ${describeTime(excepted)}` };
}
