import type { Db } from '../db/database.ts';
import { severityRank } from '../model/severity.ts';
import type { TicketFact, TicketFacts } from '../notify/tickets.ts';
import { compareText } from '../oci/canonical.ts';
import { readDocument } from './verdict-list.ts';

/** Verdicts read at once. */
const PAGE = 100;

/** What makes verdicts of a repository other than allow, by vulnerability. Findings that an exception or a VEX statement covers are left out. */
export function createTicketFacts(db: Db): TicketFacts {
  return {
    async inRepository(repository) {
      const facts = new Map<string, Mutable>();
      let after = '';
      for (;;) {
        const rows = await db
          .selectFrom('verdicts as v')
          .innerJoin('repositories as r', 'r.id', 'v.repository_id')
          .select(['v.digest', 'v.document', 'v.advisories'])
          .where('r.name', '=', repository)
          .where('v.kind', '<>', 'allow')
          .where('v.digest', '>', after)
          .orderBy('v.digest')
          .limit(PAGE)
          .execute();
        for (const row of rows) note(facts, row);
        const last = rows.at(-1);
        if (!last || rows.length < PAGE) break;
        after = last.digest;
      }
      return [...facts.values()]
        .map(({ packages, fixed, images, ...fact }) => ({
          ...fact,
          packages: sorted(packages),
          fixed: sorted(fixed),
          images: sorted(images),
        }))
        .sort((a, b) => compareText(a.vulnerability, b.vulnerability));
    },
  };
}

type Mutable = Pick<TicketFact, 'vulnerability' | 'severity'> & {
  readonly packages: Set<string>;
  readonly fixed: Set<string>;
  readonly images: Set<string>;
};

function note(
  facts: Map<string, Mutable>,
  row: Parameters<typeof readDocument>[0] & { readonly digest: string },
): void {
  for (const reason of readDocument(row).reasons) {
    const { vulnerability, severity, kind, suppressedBy, vex, package: name, installed, fixed } = reason;
    if (vulnerability === undefined || kind === 'allow' || suppressedBy || vex) continue;
    const before = facts.get(vulnerability);
    const fact = before ?? { vulnerability, severity, packages: new Set(), fixed: new Set(), images: new Set() };
    if (name !== undefined) fact.packages.add(`${name} ${installed ?? ''}`.trimEnd());
    if (fixed !== undefined) fact.fixed.add(fixed);
    fact.images.add(row.digest);
    facts.set(
      vulnerability,
      before && severityRank(before.severity) >= severityRank(severity) ? fact : { ...fact, severity },
    );
  }
}

function sorted(texts: ReadonlySet<string>): string[] {
  return [...texts].sort(compareText);
}
