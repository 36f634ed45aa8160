/** A text as a CEL string literal; JSON's escapes are among CEL's. */
export function celString(text: string): string {
  return JSON.stringify(text.toWellFormed());
}

export function celList(texts: readonly string[]): string {
  return `[${texts.map(celString).join(', ')}]`;
}

/** A regular expression as a CEL literal; JavaScript's `\/` is no escape in RE2. */
export function celPattern(pattern: RegExp): string {
  return celString(pattern.source.replaceAll('\\/', '/'));
}

/** The API server reads expressions of at most 100,000 code points. */
const LONGEST_EXPRESSION = 60_000;

export interface CelVariable {
  readonly name: string;
  readonly expression: string;
}

/** Texts to look up: a map costs the same for one text and for a thousand. */
export interface CelSet {
  readonly variables: readonly CelVariable[];
  /** True when the set holds what this expression gives. */
  has(expression: string): string;
  /** True when the set holds a beginning of what this expression gives. */
  hasBeginningOf(expression: string): string;
  readonly isEmpty: boolean;
}

/** A set of texts as variables called after `name`, in as many maps as the size of an expression asks for. */
export function celSet(name: string, texts: readonly string[]): CelSet {
  const chunks: string[][] = [];
  let length = LONGEST_EXPRESSION;
  const all = [...new Set(texts)];
  for (const text of all) {
    const entry = `${celString(text)}: true`;
    if (length + entry.length > LONGEST_EXPRESSION) {
      chunks.push([]);
      length = 0;
    }
    chunks.at(-1)?.push(entry);
    length += entry.length + 2;
  }
  const names = chunks.map((_, at) => `${name}${at === 0 ? '' : at + 1}`);
  const lengths = [...new Set(all.map(codePoints))].sort((a, b) => a - b);
  const has = (expression: string) =>
    names.length === 0 ? 'false' : `(${names.map((one) => `${expression} in variables.${one}`).join(' || ')})`;
  return {
    variables: chunks.map((entries, at) => ({ name: names[at] ?? name, expression: `{${entries.join(', ')}}` })),
    has,
    hasBeginningOf: (expression) =>
      names.length === 0
        ? 'false'
        : `[${lengths.join(', ')}].exists(n, size(${expression}) >= n && ${has(`${expression}.substring(0, n)`)})`,
    isEmpty: names.length === 0,
  };
}

/** `a && b`, without what is always true. */
export function allOf(conditions: readonly string[]): string {
  const real = conditions.filter((one) => one !== 'true');
  return real.length === 0
    ? 'true'
    : real.length === 1
      ? (real[0] ?? 'true')
      : real.map((one) => `(${one})`).join(' && ');
}

/** `a || b`, without what is never true. */
export function anyOf(conditions: readonly string[]): string {
  if (conditions.includes('true')) return 'true';
  const real = [...new Set(conditions.filter((one) => one !== 'false'))];
  return real.length === 0
    ? 'false'
    : real.length === 1
      ? (real[0] ?? 'false')
      : real.map((one) => `(${one})`).join(' || ');
}

/** What CEL calls the size of a text. */
export function codePoints(text: string): number {
  return Array.from(text).length;
}
