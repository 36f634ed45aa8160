import type { LaterVerdict, Verdict } from '../model/verdict.ts';
import type { Decision } from './judge.ts';
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
 * The verdict on an image with what becomes of it, so that whoever has it needs nobody to follow it in time. Found by deciding about the
 * same things at the moments at which something changes.
 */
export function withOutlook(decision: Decision): Verdict {
  const verdict = decision.verdict();
  const steps: LaterVerdict[] = [];
  let before = decision;
  let [looks, blocking] = [0, 0];
  while (before.changesAt !== undefined && before.changesAt - verdict.judgedAt <= FORESEEN_MS) {
    looks += 1;
    blocking = before.kind === 'block' ? blocking + 1 : 0;
    if (looks > MOST_LOOKS || blocking > MOST_LOOKS_AT_BLOCK) break;
    const at = before.changesAt;
    const then = before.later(at);
    if (then.kind !== before.kind) steps.push({ at, kind: then.kind, sentence: laterSentence(then.told()) });
    if (steps.length === MOST_TOLD) break;
    before = then;
  }
  return steps.length === 0 ? verdict : { ...verdict, becomes: steps };
}
