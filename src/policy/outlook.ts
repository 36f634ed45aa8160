import type { LaterVerdict, Verdict, VerdictKind } from '../model/verdict.ts';
import type { Assessments } from './assess.ts';
import { why } from './explain.ts';
import { judge } from './judge.ts';
import type { IndexChild } from './judge-index.ts';
import type { JudgeInput } from './judge-input.ts';

const DAY = 86_400_000;
/** What is further away than that is told when it is nearer: whoever cannot ask for that long has other worries. */
const FORESEEN_MS = 400 * DAY;
/** Changes of kind that are told of one verdict, and moments looked at to find them. */
const MOST_TOLD = 4;
const MOST_LOOKS = 8;
const LONGEST_SENTENCE = 500;

/**
 * The verdict on an image with what becomes of it, so that whoever has it needs nobody to follow it in time. Found by judging the
 * same things at the moments at which something changes.
 */
export function withOutlook(input: JudgeInput, verdict: Verdict, kept?: Assessments): Verdict {
  const steps: LaterVerdict[] = [];
  let { kind, changesAt: at } = verdict;
  for (let looks = 0; at !== undefined && at - verdict.judgedAt <= FORESEEN_MS && looks < MOST_LOOKS; looks += 1) {
    const then = judge({ ...input, now: at }, kept);
    if (then.kind !== kind) steps.push({ at, kind: then.kind, sentence: sentenceOf(then) });
    if (steps.length === MOST_TOLD) break;
    ({ kind, changesAt: at } = then);
  }
  return steps.length === 0 ? verdict : { ...verdict, becomes: steps };
}

/**
 * What becomes of an index, from what becomes of its children. The sentence is that of the child the kind comes from.
 * `kindOf` gives the kind of the index from those of the runnable children.
 */
export function indexOutlook(
  verdict: Verdict,
  children: readonly IndexChild[],
  kindOf: (children: readonly IndexChild[]) => VerdictKind,
): Verdict {
  const moments = new Set(children.flatMap((child) => child.verdict?.becomes?.map(({ at }) => at) ?? []));
  const steps: LaterVerdict[] = [];
  let { kind } = verdict;
  for (const at of [...moments].sort((a, b) => a - b)) {
    const then = children.map((child) => childAt(child, at));
    const next = kindOf(then.map(({ child }) => child));
    if (next === kind) continue;
    const source = then.find(({ child }) => child.verdict?.kind === next) ?? then[0];
    steps.push({ at, kind: next, sentence: source?.sentence ?? '' });
    kind = next;
    if (steps.length === MOST_TOLD) break;
  }
  return steps.length === 0 ? verdict : { ...verdict, becomes: steps };
}

function childAt(child: IndexChild, at: number): { readonly child: IndexChild; readonly sentence: string } {
  const { verdict } = child;
  if (!verdict) return { child, sentence: '' };
  const step = verdict.becomes?.findLast((later) => later.at <= at);
  if (!step) return { child, sentence: sentenceOf(verdict) };
  return { child: { ...child, verdict: { ...verdict, kind: step.kind } }, sentence: step.sentence };
}

function sentenceOf(verdict: Verdict): string {
  const sentence = why(verdict);
  return sentence.length > LONGEST_SENTENCE ? `${sentence.slice(0, LONGEST_SENTENCE - 3)}...` : sentence;
}
