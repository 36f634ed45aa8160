import { EXCEPTION_IDS, LICENSE_IDS } from './spdx-ids.ts';

/** A licence as a package states it, understood or not. */
export type Licence =
  | { readonly kind: 'id'; readonly id: string }
  /** Of several; every identifier in it is known. */
  | { readonly kind: 'expression'; readonly expression: string }
  /** In the package's own words. */
  | { readonly kind: 'name'; readonly name: string };

const LONGEST_EXPRESSION = 2000;
const DEEPEST = 20;

/**
 * Reads what a package states as its licence: an SPDX licence expression (SPDX 2.3, annex D) with identifiers spelt as the
 * list spells them, or else a name. Undefined when it states nothing.
 */
export function readLicence(text: string | undefined): Licence | undefined {
  const stated = text?.trim();
  if (!stated) return undefined;
  if (stated.length > LONGEST_EXPRESSION) return { kind: 'name', name: stated };
  const expression = parse(stated.match(/[()]|[^\s()]+/g) ?? []);
  if (expression === undefined) return { kind: 'name', name: stated };
  return /[\s+]/.test(expression) ? { kind: 'expression', expression } : { kind: 'id', id: expression };
}

const IDS = new Map(LICENSE_IDS.map((id) => [id.toLowerCase(), id]));
const EXCEPTIONS = new Map(EXCEPTION_IDS.map((id) => [id.toLowerCase(), id]));

/** The expression in its normal spelling; undefined when it is none. */
function parse(tokens: readonly string[]): string | undefined {
  let at = 0;

  function joined(operator: string, part: () => string | undefined): string | undefined {
    const parts = [part()];
    while (isOperator(tokens[at], operator)) {
      at += 1;
      parts.push(part());
    }
    return parts.includes(undefined) ? undefined : parts.join(` ${operator} `);
  }
  function either(depth: number): string | undefined {
    return joined('OR', () => joined('AND', () => single(depth)));
  }
  function single(depth: number): string | undefined {
    const token = tokens[at] ?? '';
    at += 1;
    if (token !== '(') return licence(token);
    const inner = depth < DEEPEST ? either(depth + 1) : undefined;
    if (tokens[at] !== ')') return undefined;
    at += 1;
    return inner === undefined ? undefined : `(${inner})`;
  }
  function licence(token: string): string | undefined {
    // Some deprecated identifiers end in a plus themselves.
    const id = IDS.get(token.toLowerCase()) ?? orLater(token);
    if (id === undefined || !isOperator(tokens[at], 'WITH')) return id;
    const exception = EXCEPTIONS.get((tokens[at + 1] ?? '').toLowerCase());
    at += 2;
    return exception === undefined ? undefined : `${id} WITH ${exception}`;
  }

  const expression = either(0);
  if (at !== tokens.length || expression === undefined) return undefined;
  return expression.startsWith('(') && !/[()]/.test(expression.slice(1, -1)) ? expression.slice(1, -1) : expression;
}

function orLater(token: string): string | undefined {
  const id = token.endsWith('+') ? IDS.get(token.slice(0, -1).toLowerCase()) : undefined;
  return id === undefined ? undefined : `${id}+`;
}

function isOperator(token: string | undefined, operator: string): boolean {
  return token?.toUpperCase() === operator;
}
