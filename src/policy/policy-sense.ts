import { severityRank } from '../model/severity.ts';
import type { Policy, Threshold } from './policy.ts';
import { type Fixability, reaches } from './thresholds.ts';

const LEVELS = ['low', 'medium', 'high', 'critical'] as const;
const BOTH: readonly Fixability[] = ['fixable', 'unfixable'];

/** What of a policy makes no sense as a whole, though each field does by itself: each with the way out. */
export function senseless(policy: Policy): string[] {
  return BOTH.flatMap((fixability) => [
    ...warnAboveBlock(policy, fixability),
    ...graceThatNeverCounts(policy, fixability),
  ]);
}

function warnAboveBlock({ warn, block }: Policy, fixability: Fixability): string[] {
  if (!isAbove(warn[fixability], block[fixability])) return [];
  const most = block[fixability];
  return [
    `warn.${fixability}: ${warn[fixability]} is above block.${fixability}: ${most}, so that nothing would ever only warn; set it to ${most} or lower, or to off`,
  ];
}

function graceThatNeverCounts({ block, graceDays }: Policy, fixability: Fixability): string[] {
  const days = graceDays[fixability];
  const counting = LEVELS.filter((level) => reaches(block[fixability], severityRank(level)));
  return counting.flatMap((level, at) => {
    const milder = counting.slice(0, at).find((other) => days[other] < days[level]);
    if (milder === undefined) return [];
    return [
      `graceDays.${fixability}.${level}: ${days[level]} is longer than ${days[milder]} for ${milder}, but what is ${level} is at least ${milder} too; set it to ${days[milder]} or fewer`,
    ];
  });
}

/** True when a warning threshold leaves out what a blocking one takes in. */
export function isAbove(warn: Threshold, block: Threshold): boolean {
  return warn !== 'off' && block !== 'off' && rankOf(warn) > rankOf(block);
}

function rankOf(threshold: Exclude<Threshold, 'off'>): number {
  return threshold === 'none' ? 0 : severityRank(threshold);
}
