import type { ToldVerdict } from '../model/verdict.ts';
import { why } from './explain.ts';

/** Changes of kind that are told with one verdict. */
export const MOST_TOLD = 4;
const LONGEST = 500;

/** Why it is what it then is, bounded: it is kept with the verdict, and by every guard. */
export function laterSentence(verdict: ToldVerdict): string {
  return why(verdict, LONGEST);
}
