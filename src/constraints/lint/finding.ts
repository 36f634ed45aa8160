/** `error`: it protects nothing, or is refused · `warning`: it does not do what it says · `note`: worth a look. */
export type LintSeverity = 'error' | 'warning' | 'note';

/** Every rule, with what it looks for and how bad a finding is. */
export const LINT_RULES = {
  'shape-invalid': { severity: 'error', title: 'a field has the wrong shape, so the constraint cannot be used' },
  'name-too-long': { severity: 'error', title: 'Gatekeeper refuses names of more than 63 characters' },
  'name-invalid': { severity: 'error', title: 'the API server refuses the name' },
  'list-missing': { severity: 'error', title: 'without its list the constraint lets everything through' },
  'list-empty': { severity: 'warning', title: 'an empty list trusts nothing, or forbids nothing' },
  'list-long': { severity: 'warning', title: 'a list too long to be looked at when it is applied' },
  'entry-empty': { severity: 'error', title: 'an empty entry is the beginning of every image' },
  'entry-invalid': { severity: 'error', title: 'an entry that names no image' },
  'entry-bypass': { severity: 'warning', title: 'Gatekeeper lets an image through that nobody meant' },
  'entry-rejects': { severity: 'warning', title: 'Gatekeeper rejects another spelling of what is meant' },
  'entry-ambiguous': { severity: 'note', title: 'an entry that can be read two ways' },
  'entry-broad': { severity: 'warning', title: 'an entry that trusts or exempts what anybody can publish' },
  'entry-movable': { severity: 'note', title: 'a tag can be moved to another image' },
  'entry-wildcard': { severity: 'error', title: 'a wildcard that is not one' },
  'entry-untagged': { severity: 'note', title: 'an exact entry without a tag admits the untagged reference only' },
  'entry-covered': { severity: 'note', title: 'an entry that another one covers' },
  'entry-duplicate': { severity: 'note', title: 'an entry that is written twice' },
  'tag-invalid': { severity: 'error', title: 'an entry that is no tag and forbids nothing' },
  'digest-malformed': { severity: 'note', title: 'Gatekeeper takes any text after "@" for a digest' },
  'kind-unknown': { severity: 'warning', title: 'a kind or group that does not exist' },
  'kind-without-images': { severity: 'warning', title: 'a kind that carries no images' },
  'kind-custom': { severity: 'note', title: 'a custom kind is judged through an ExpansionTemplate only' },
  'kinds-dead': { severity: 'error', title: 'match.kinds covers nothing that carries images' },
  'scope-unknown': { severity: 'warning', title: 'a scope that is not known matches everything' },
  'scope-dead': { severity: 'error', title: 'nothing that carries images is cluster-scoped' },
  'namespace-invalid': { severity: 'warning', title: 'a pattern that no namespace can match' },
  'namespaces-dead': { severity: 'error', title: 'no namespace is left to be covered' },
  'name-exact': { severity: 'warning', title: 'an exact name misses generated pods' },
  'source-unknown': { severity: 'warning', title: 'a source that is not known' },
  'selector-invalid': { severity: 'error', title: 'a selector the API server would not accept' },
  'field-unknown': { severity: 'warning', title: 'a field that nobody reads' },
  'action-unknown': { severity: 'error', title: 'an enforcement action that is not known' },
  'scoped-empty': { severity: 'error', title: 'scoped without an action at any enforcement point' },
  'scoped-ignored': { severity: 'warning', title: 'scopedEnforcementActions is read with "scoped" only' },
  'point-unknown': { severity: 'warning', title: 'an enforcement point that is not known' },
  'point-missing': { severity: 'note', title: 'not enforced at admission, or not audited' },
  'annotation-unknown': { severity: 'warning', title: 'a breakwater/ annotation that is not known' },
} as const satisfies Record<string, { severity: LintSeverity; title: string }>;
export type LintRule = keyof typeof LINT_RULES;

/** Field names and list positions from the object down to what a finding is about. */
export type FieldPath = readonly (string | number)[];

export interface LintFinding {
  readonly rule: LintRule;
  readonly severity: LintSeverity;
  readonly path: FieldPath;
  /** One sentence for people. */
  readonly message: string;
  /** What to write or do instead. */
  readonly fix?: string;
  /** An image that Gatekeeper admits under this constraint although nobody meant it, and that we deny. */
  readonly witness?: string;
}

/** Makes a finding with the severity of its rule. */
export function finding(
  rule: LintRule,
  path: FieldPath,
  message: string,
  more: { readonly fix?: string | undefined; readonly witness?: string | undefined } = {},
): LintFinding {
  return {
    rule,
    severity: LINT_RULES[rule].severity,
    path,
    message,
    ...(more.fix === undefined ? {} : { fix: more.fix }),
    ...(more.witness === undefined ? {} : { witness: more.witness }),
  };
}

/** `spec.match.kinds[0].kinds` */
export function pathText(path: FieldPath): string {
  return path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`)).join('');
}

/** The known text nearest to a mistyped one; undefined when none is near. Upper case, plural and up to two letters. */
export function nearest(text: string, known: readonly string[]): string | undefined {
  const small = text.toLowerCase();
  const same = known.find((one) => one.toLowerCase() === small || `${one.toLowerCase()}s` === small);
  if (same !== undefined) return same;
  const ranked = known
    .map((one) => ({ one, distance: distanceOf(small, one.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.min(2, Math.floor(text.length / 3)) ? best.one : undefined;
}

/** Levenshtein distance. */
function distanceOf(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
