import type { Finding, FindingVex, VexStatus } from '../../model/finding.ts';
import { compareText } from '../../oci/canonical.ts';
import { createProductMatch } from './match-product.ts';
import type { VexStatement, VexSubject } from './types.ts';

/** Between authors that disagree the more cautious is believed. */
const CAUTIOUS: readonly VexStatus[] = ['affected', 'under_investigation', 'fixed', 'not_affected'];

/**
 * Marks the findings that VEX statements speak of; nothing is taken away. A statement counts when one of its ids is one of
 * the finding's and one of its products is the image or the package. Of one author the newest counts; between authors
 * affected > under investigation > fixed > not affected. The order of statements does not matter.
 */
export function applyVex(
  findings: readonly Finding[],
  statements: readonly VexStatement[],
  subject: VexSubject,
): readonly Finding[] {
  if (statements.length === 0) return findings;
  const byId = new Map<string, VexStatement[]>();
  for (const statement of statements)
    for (const id of new Set(statement.vulnerabilities.map((name) => name.toUpperCase()))) {
      const known = byId.get(id);
      if (known) known.push(statement);
      else byId.set(id, [statement]);
    }
  const concerns = createProductMatch(subject);
  return findings.map((finding) => {
    const ids = new Set([finding.id, ...finding.aliases, ...finding.advisories].map((id) => id.toUpperCase()));
    const spoken = new Set([...ids].flatMap((id) => byId.get(id) ?? []));
    const holding = [...spoken].filter(({ products }) =>
      products.some((product) => concerns(product, finding.package)),
    );
    const decisive = decide(holding);
    return decisive === undefined ? finding : { ...finding, vex: markOf(decisive) };
  });
}

/** The one statement that counts. */
function decide(statements: readonly VexStatement[]): VexStatement | undefined {
  const newest = [...Map.groupBy(statements, ({ author }) => author).values()].flatMap(
    (own) => own.toSorted(newestFirst)[0] ?? [],
  );
  return newest.sort(mostCautiousFirst)[0];
}

function newestFirst(a: VexStatement, b: VexStatement): number {
  return (b.at ?? 0) - (a.at ?? 0) || mostCautiousFirst(a, b);
}

function mostCautiousFirst(a: VexStatement, b: VexStatement): number {
  return (
    CAUTIOUS.indexOf(a.status) - CAUTIOUS.indexOf(b.status) ||
    compareText(a.author, b.author) ||
    compareText(a.document, b.document) ||
    compareText(a.justification ?? '', b.justification ?? '')
  );
}

function markOf({ status, justification, author, document, unverified }: VexStatement): FindingVex {
  return {
    status,
    ...(justification === undefined ? {} : { justification }),
    author,
    document,
    ...(unverified ? { unverified } : {}),
  };
}
