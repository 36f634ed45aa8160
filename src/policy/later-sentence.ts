import type { Verdict } from '../model/verdict.ts';
import { why } from './explain.ts';

/** Changes of kind that are told with one verdict. */
export const MOST_TOLD = 4;
const LONGEST = 500;

/** Why it is what it then is, bounded: it is kept with the verdict, and by every guard. */
export function laterSentence(verdict: Verdict): string {
  const sentence = why(verdict);
  return sentence.length > LONGEST ? `${sentence.slice(0, LONGEST - 3)}...` : sentence;
}
