/** A warning before it is written; lists of them begin with the worst. */
export interface Warning {
  /** The constraint it comes from, which stands in front; absent for a note about the review itself. */
  readonly constraint?: { readonly name: string; readonly plural: string };
  readonly text: string;
  /** Printed as it is and never left out: what must be exactly Gatekeeper's. */
  readonly exact?: boolean;
  /** How many it counts as where it is left out; 1 when absent. */
  readonly stands?: number;
}

/**
 * The API server cuts every warning to 256 characters once all of a request together pass 4,096, and other webhooks
 * add theirs; staying below keeps every sentence whole.
 */
const LARGEST_TOTAL = 3500;
const LONGEST_WARNING = 1200;
/** For the line that says how many there are more. */
const REST_ROOM = 260;
const LONGEST_NAME = 80;
/** A control makes the whole warning vanish: it is sent in a header. Format characters turn text around, or hide in it. */
const CONTROLS = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * The warnings of a response: `[NAME] ` in front of each, every text once, controls escaped, and short enough together to
 * arrive whole. What does not fit is counted in the last one, which says where all of it is listed.
 */
export function boundWarnings(warnings: readonly Warning[]): string[] {
  if (warnings.length === 0) return [];
  const lines = new Map<string, Warning>();
  const kept: string[] = [];
  let total = 0;
  for (const warning of warnings) {
    const text = written(warning);
    if (warning.exact) kept.push(text);
    else if (!lines.has(text)) {
      lines.set(text, warning);
      total += text.length;
    }
  }
  let room = total > LARGEST_TOTAL ? LARGEST_TOTAL - REST_ROOM : LARGEST_TOTAL;
  const left: Warning[] = [];
  for (const [text, warning] of lines) {
    // In their order, so that nothing is told while something worse is not.
    if (left.length > 0 || text.length > room) left.push(warning);
    else {
      kept.push(text);
      room -= text.length;
    }
  }
  return left.length === 0 ? kept : [...kept, restLine(left)];
}

function written({ constraint, text, exact }: Warning): string {
  const line = constraint === undefined ? text : `[${constraint.name}] ${text}`;
  if (exact) return line;
  const safe = line.replace(
    CONTROLS,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
  return safe.length > LONGEST_WARNING ? `${safe.slice(0, LONGEST_WARNING - 3)}...` : safe;
}

function restLine(left: readonly Warning[]): string {
  const constraints = new Map(left.flatMap(({ constraint }) => (constraint ? [[constraint.name, constraint]] : [])));
  const [one] = constraints.values();
  const count = `and ${left.reduce((sum, { stands = 1 }) => sum + stands, 0)} more`;
  if (one === undefined || constraints.size > 1 || one.name.length > LONGEST_NAME) {
    const of = constraints.size > 1 ? ` of ${constraints.size} constraints` : '';
    return `${count}${of}: kubectl get constraints -ojson | jq '.items[].status.violations', or breakwater violations list`;
  }
  const { name, plural } = one;
  return `[${name}] ${count}: kubectl get ${plural} ${name} -ojson | jq .status.violations, or breakwater violations list`;
}
