import type { LaterVerdict, Verdict, VerdictKind } from '../model/verdict.ts';
import { laterSentence, MOST_TOLD } from './later-sentence.ts';

interface Child {
  readonly verdict?: Verdict;
}

/**
 * What becomes of an index, from what becomes of its children. The sentence is that of the child the kind comes from.
 * `kindOf` gives the kind of the index from those of the runnable children.
 */
export function indexOutlook<One extends Child>(
  verdict: Verdict,
  children: readonly One[],
  kindOf: (children: readonly One[]) => VerdictKind,
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

function childAt<One extends Child>(child: One, at: number): { readonly child: One; readonly sentence: string } {
  const { verdict } = child;
  if (!verdict) return { child, sentence: '' };
  const step = verdict.becomes?.findLast((later) => later.at <= at);
  if (!step) return { child, sentence: laterSentence(verdict) };
  return { child: { ...child, verdict: { ...verdict, kind: step.kind } }, sentence: step.sentence };
}
