import type { Finding, FindingVex } from '../../model/finding.ts';
import { createProductMatch } from './match-product.ts';
import type { VexStatement, VexSubject } from './types.ts';
import { type Weighing, type WeighRules, weigh } from './weigh.ts';

type Rules<Statement extends VexStatement> = Omit<WeighRules<Statement>, 'matchOf'>;

/**
 * Marks the findings that VEX statements speak of; nothing is taken away. A statement counts when one of its ids is one of
 * the finding's and one of its products is the image or the package (`weigh` decides between several). The order of statements
 * does not matter.
 */
export function applyVex<Statement extends VexStatement>(
  findings: readonly Finding[],
  statements: readonly Statement[],
  subject: VexSubject,
  rules: Rules<Statement> = {},
): readonly Finding[] {
  if (statements.length === 0) return findings;
  const weighed = createVexWeighing(statements, subject, rules);
  return findings.map((finding) => {
    const { decisive } = weighed(finding);
    return decisive === undefined ? finding : { ...finding, vex: markOf(decisive) };
  });
}

/** Weighs statements about one image for one finding after the other. */
export function createVexWeighing<Statement extends VexStatement>(
  statements: readonly Statement[],
  subject: VexSubject,
  rules: Rules<Statement> = {},
): (finding: Finding) => Weighing<Statement> {
  const byId = new Map<string, Statement[]>();
  for (const statement of statements)
    for (const id of new Set(statement.vulnerabilities.map(vexId))) {
      const known = byId.get(id);
      if (known) known.push(statement);
      else byId.set(id, [statement]);
    }
  const concerns = createProductMatch(subject);
  const matchOf: WeighRules<Statement>['matchOf'] = (product, finding) => concerns(product, finding.package);
  return (finding) => {
    const spoken = new Set(vexIdsOf(finding).flatMap((id) => byId.get(id) ?? []));
    return weigh(finding, [...spoken], { ...rules, matchOf });
  };
}

/** An id of a vulnerability as statements are looked up by it: case does not matter. */
export function vexId(id: string): string {
  return id.toUpperCase();
}

/** Every id under which statements may speak of a finding. */
export function vexIdsOf({ id, aliases, advisories }: Finding): readonly string[] {
  return [...new Set([id, ...aliases, ...advisories].map(vexId))];
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
