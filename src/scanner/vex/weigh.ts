import type { Finding, VexStatus } from '../../model/finding.ts';
import { compareText } from '../../oci/canonical.ts';
import { isMatch, type ProductMatch } from './match-product.ts';
import type { VexProduct, VexStatement } from './types.ts';

/** Between authors of one rank that disagree the more cautious is believed. */
const CAUTIOUS: readonly VexStatus[] = ['affected', 'under_investigation', 'fixed', 'not_affected'];

/** What becomes of a statement about a finding's vulnerability. */
export type Outcome =
  /** It is the one that counts. */
  | 'decides'
  /** Its author has said something newer. */
  | 'superseded'
  /** Another author goes first: by the order of the policy, or by being more cautious. */
  | 'outranked'
  | Exclude<ProductMatch, 'image' | 'package'>
  /** It matches, but may not count. */
  | 'objected';

export interface WeighedStatement<Statement extends VexStatement = VexStatement> {
  readonly statement: Statement;
  readonly outcome: Outcome;
  /** Why it may not count; present with `objected`. */
  readonly objection?: string;
}

export interface Weighing<Statement extends VexStatement = VexStatement> {
  readonly decisive?: Statement;
  /** Every statement about the vulnerability, in one order whatever order they came in. */
  readonly considered: readonly WeighedStatement<Statement>[];
}

export interface WeighRules<Statement extends VexStatement> {
  readonly matchOf: (product: VexProduct, finding: Finding) => ProductMatch;
  /** Why a statement must not count though this product of it matches; undefined when it may. */
  readonly objectionTo?: (statement: Statement, product: VexProduct, match: ProductMatch) => string | undefined;
  /** Authors in the order in which they are believed; all others come after, alike. */
  readonly order?: readonly string[];
}

/**
 * Weighs all statements that name a finding's vulnerability: those that match and may count, of each author the newest, of those the
 * first by rank, then the most cautious. The order in which they are given never matters.
 */
export function weigh<Statement extends VexStatement>(
  finding: Finding,
  statements: readonly Statement[],
  rules: WeighRules<Statement>,
): Weighing<Statement> {
  const rank = rankBy(rules.order ?? []);
  const firstOf = (a: Statement, b: Statement): number =>
    rank(a.author) - rank(b.author) || mostCautiousFirst(a, b) || inOneOrder(a, b);
  const standing = statements.map((statement) => ({ statement, ...standingOf(statement, finding, rules) }));
  const counting = standing.filter(({ outcome }) => outcome === undefined).map(({ statement }) => statement);
  const newest = [...Map.groupBy(counting, ({ author }) => author).values()].flatMap(
    (own) => own.toSorted(newestFirst)[0] ?? [],
  );
  const decisive = newest.sort(firstOf)[0];
  const heard = new Set(newest);
  const considered = standing.map(({ statement, outcome, objection }) => ({
    statement,
    outcome: outcome ?? (statement === decisive ? 'decides' : heard.has(statement) ? 'outranked' : 'superseded'),
    ...(objection === undefined ? {} : { objection }),
  }));
  considered.sort((a, b) => order(a.outcome) - order(b.outcome) || firstOf(a.statement, b.statement));
  return { ...(decisive === undefined ? {} : { decisive }), considered };
}

/** Nothing decided yet: what keeps the statement from being heard. */
function standingOf<Statement extends VexStatement>(
  statement: Statement,
  finding: Finding,
  { matchOf, objectionTo }: WeighRules<Statement>,
): { readonly outcome?: Outcome; readonly objection?: string } {
  let nearest: Outcome = 'other-product';
  let objection: string | undefined;
  for (const product of statement.products) {
    const match = matchOf(product, finding);
    if (!isMatch(match)) {
      if (order(match) < order(nearest)) nearest = match;
      continue;
    }
    const why = objectionTo?.(statement, product, match);
    if (why === undefined) return {};
    objection ??= why;
  }
  return objection === undefined ? { outcome: nearest } : { outcome: 'objected', objection };
}

const OUTCOMES: readonly Outcome[] = [
  'decides',
  'outranked',
  'superseded',
  'objected',
  'other-version',
  'other-component',
  'other-product',
];

function order(outcome: Outcome): number {
  return OUTCOMES.indexOf(outcome);
}

function rankBy(authors: readonly string[]): (author: string) => number {
  const ranks = new Map(authors.map((author, at) => [author, at]));
  return (author) => ranks.get(author) ?? authors.length;
}

function newestFirst(a: VexStatement, b: VexStatement): number {
  return (b.at ?? 0) - (a.at ?? 0) || mostCautiousFirst(a, b) || inOneOrder(a, b);
}

function mostCautiousFirst(a: VexStatement, b: VexStatement): number {
  return CAUTIOUS.indexOf(a.status) - CAUTIOUS.indexOf(b.status);
}

function inOneOrder(a: VexStatement, b: VexStatement): number {
  return (
    (b.at ?? 0) - (a.at ?? 0) ||
    compareText(a.author, b.author) ||
    compareText(a.document, b.document) ||
    compareText(a.justification ?? '', b.justification ?? '')
  );
}
