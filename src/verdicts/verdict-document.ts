import type { Reason, Verdict } from '../model/verdict.ts';

/** JSON of reasons that many verdicts share. */
export type DocumentTexts = WeakMap<Reason, string>;

/** A verdict as it is kept: its JSON. Reasons shared with other verdicts are written out once. */
export function documentOf(verdict: Verdict, texts: DocumentTexts): string {
  const reasons = verdict.reasons.map((reason) => {
    const known = texts.get(reason) ?? JSON.stringify(reason);
    texts.set(reason, known);
    return known;
  });
  // The list stands where it stands in the verdict.
  const [before = '', after = ''] = JSON.stringify({ ...verdict, reasons: [] }).split('"reasons":[]', 2);
  return `${before}"reasons":[${reasons.join(',')}]${after}`;
}
