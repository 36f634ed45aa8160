import type { Reason, Verdict } from '../model/verdict.ts';
import type { ChangeDocument } from './verdict-store.ts';

/** JSON of reasons that many verdicts share. */
export type DocumentTexts = WeakMap<Reason, string>;

/** A verdict as it is kept: its JSON. Reasons shared with other verdicts are written out once. */
export function documentOf(verdict: Verdict, texts: DocumentTexts): string {
  return withReasons(verdict, 'reasons', texts);
}

/** The same of what is different between two verdicts. */
export function changeDocumentOf(change: ChangeDocument, texts: DocumentTexts): string {
  return withReasons(change, 'added', texts);
}

/** JSON of an object with a list of reasons, which stands where it stands in the object. */
function withReasons<Name extends string>(
  value: { readonly [key in Name]: readonly Reason[] },
  name: Name,
  texts: DocumentTexts,
): string {
  const reasons = value[name].map((reason) => {
    const known = texts.get(reason) ?? JSON.stringify(reason);
    texts.set(reason, known);
    return known;
  });
  const empty = `"${name}":[]`;
  const rest = JSON.stringify({ ...value, [name]: [] });
  const at = rest.indexOf(empty);
  return `${rest.slice(0, at)}"${name}":[${reasons.join(',')}]${rest.slice(at + empty.length)}`;
}
