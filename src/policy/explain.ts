import type { ToldVerdict, VerdictKind } from '../model/verdict.ts';
import { oneLine } from '../platform/one-line.ts';
import { type Spoken, spokenOf, whomToAsk } from './explanation.ts';

export { countingReasons } from './explanation.ts';

/** The decisions in words. */
export const DECISIONS: Readonly<Record<VerdictKind, string>> = {
  allow: 'allowed',
  warn: 'allowed with a warning',
  block: 'blocked',
};

/** The verdict in one sentence without a line break: the decision and the worst reason, as every surface prints it. */
export function explain(verdict: ToldVerdict): string {
  return `${DECISIONS[verdict.kind]}: ${why(verdict)}`;
}

/**
 * The same without the decision: the worst reason, its fix, the next date, whom to ask; for callers that put it behind words of
 * their own. With a limit it says less, the least important first to go.
 */
export function why(verdict: ToldVerdict, longest?: number): string {
  return sentence(spokenOf(verdict), longest);
}

interface Piece {
  readonly text: string;
  /** The higher the sooner it is left out. */
  readonly rank: number;
}

/** An explanation in one sentence of at most so many characters. */
export function sentence(explanation: Spoken, longest = Number.POSITIVE_INFINITY): string {
  const { why: whole, brief } = explanation;
  const pieces = piecesOf(explanation);
  const all = pieces.map(({ text }) => text).join('');
  for (const head of [whole, brief]) if (head.length + all.length <= longest) return head + all;
  const kept = new Set<Piece>();
  let room = longest - brief.length;
  for (const piece of pieces.toSorted((a, b) => a.rank - b.rank)) {
    if (piece.text.length > room) continue;
    kept.add(piece);
    room -= piece.text.length;
  }
  const tail = pieces.filter((piece) => kept.has(piece));
  return cut(brief, longest) + tail.map(({ text }) => text).join('');
}

/** A text that ends in dots where it would be longer. */
export function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, Math.max(0, longest - 3))}...`;
}

function piecesOf({ others, until, contact = {} }: Spoken): readonly Piece[] {
  const { text, link } = contact;
  return [
    ...(others > 0 ? [{ text: `; and ${others} more`, rank: 4 }] : []),
    ...(until === undefined ? [] : [{ text: `; ${until}`, rank: 1 }]),
    ...(text === undefined ? [] : [{ text: `; ask ${whomToAsk(text)}`, rank: 2 }]),
    ...(link === undefined ? [] : [{ text: `; see ${oneLine(link)}`, rank: 3 }]),
  ];
}
