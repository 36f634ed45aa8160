import type { LaterVerdict, Verdict } from '../model/verdict.ts';
import type { Assessments } from './assess.ts';
import { judgeLater, kindLater } from './judge.ts';
import type { JudgeInput } from './judge-input.ts';
import { laterSentence, MOST_TOLD } from './later-sentence.ts';

const DAY = 86_400_000;
/** What is further away than that is told when it is nearer: whoever cannot ask for that long has other worries. */
const FORESEEN_MS = 400 * DAY;
/**
 * Moments looked at to find the changes of kind. Few on end where it blocks: time seldom makes anything milder, and whoever then still holds it
 * to be blocked errs on the safe side.
 */
const MOST_LOOKS = 64;
const MOST_LOOKS_AT_BLOCK = 2;

/**
 * The verdict on an image with what becomes of it, so that whoever has it needs nobody to follow it in time. Found by judging the
 * same things at the moments at which something changes.
 */
export function withOutlook(input: JudgeInput, verdict: Verdict, kept: Assessments): Verdict {
  const steps: LaterVerdict[] = [];
  let { kind, changesAt: at } = verdict;
  let [looks, blocking] = [0, 0];
  while (at !== undefined && at - verdict.judgedAt <= FORESEEN_MS) {
    looks += 1;
    blocking = kind === 'block' ? blocking + 1 : 0;
    if (looks > MOST_LOOKS || blocking > MOST_LOOKS_AT_BLOCK) break;
    const later = { ...input, now: at };
    const then = kindLater(later, kept);
    if (then.kind !== kind) steps.push({ at, kind: then.kind, sentence: laterSentence(judgeLater(later, kept)) });
    if (steps.length === MOST_TOLD) break;
    ({ kind, changesAt: at } = then);
  }
  return steps.length === 0 ? verdict : { ...verdict, becomes: steps };
}
