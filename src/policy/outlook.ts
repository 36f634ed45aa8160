import type { LaterVerdict, Verdict } from '../model/verdict.ts';
import type { Assessments } from './assess.ts';
import { laterSentence, MOST_TOLD } from './later-sentence.ts';
import { judge } from './judge.ts';
import type { JudgeInput } from './judge-input.ts';

const DAY = 86_400_000;
/** What is further away than that is told when it is nearer: whoever cannot ask for that long has other worries. */
const FORESEEN_MS = 400 * DAY;
/** Moments looked at to find the changes of kind. */
const MOST_LOOKS = 8;

/**
 * The verdict on an image with what becomes of it, so that whoever has it needs nobody to follow it in time. Found by judging the
 * same things at the moments at which something changes.
 */
export function withOutlook(input: JudgeInput, verdict: Verdict, kept?: Assessments): Verdict {
  const steps: LaterVerdict[] = [];
  let { kind, changesAt: at } = verdict;
  for (let looks = 0; at !== undefined && at - verdict.judgedAt <= FORESEEN_MS && looks < MOST_LOOKS; looks += 1) {
    const then = judge({ ...input, now: at }, kept);
    if (then.kind !== kind) steps.push({ at, kind: then.kind, sentence: laterSentence(then) });
    if (steps.length === MOST_TOLD) break;
    ({ kind, changesAt: at } = then);
  }
  return steps.length === 0 ? verdict : { ...verdict, becomes: steps };
}
