import type { Db } from '../db/database.ts';
import type { Finding, VexStatus } from '../model/finding.ts';
import type { Clock } from '../platform/clock.ts';
import { vexId, vexIdsOf } from '../scanner/vex/apply.ts';
import type { Outcome } from '../scanner/vex/weigh.ts';
import type { VexSource, Weighed } from './source.ts';
import { type KeptStatement, statementsAbout } from './statements.ts';

/** A statement with what became of it, in words. */
export interface Explained {
  readonly statement: KeptStatement;
  readonly outcome: Outcome | 'no-finding';
  readonly why: string;
}

export interface Explanation {
  readonly findings: readonly {
    readonly finding: Finding;
    readonly status?: VexStatus;
    readonly statements: readonly Explained[];
  }[];
  /** Statements about the vulnerability where the image has no finding of it. */
  readonly others: readonly Explained[];
}

/** Every statement about a vulnerability, with what became of it in one image. */
export async function explainVex(
  { db, clock, source }: { readonly db: Db; readonly clock: Clock; readonly source: Pick<VexSource, 'weigh'> },
  image: Weighed,
  vulnerability: string,
): Promise<Explanation> {
  const findings = image.findings.filter((finding) => vexIdsOf(finding).includes(vexId(vulnerability)));
  if (findings.length > 0) {
    const weighed = await source.weigh({ ...image, findings }, 'all');
    return {
      findings: weighed.map(({ finding, weighing: { decisive, considered } }) => ({
        finding,
        ...(decisive ? { status: decisive.status } : {}),
        statements: considered.map(({ statement, outcome, objection }) => ({
          statement,
          outcome,
          why: objection ?? wordsOf(outcome, decisive),
        })),
      })),
      others: [],
    };
  }
  const wanted = { projectId: image.place.projectId, ids: [vexId(vulnerability)], digests: [] };
  const statements = await statementsAbout(db, wanted, 'all', clock.now());
  return {
    findings: [],
    others: statements.map((statement) => ({
      statement,
      outcome: 'no-finding',
      why: 'the image has no finding of this vulnerability',
    })),
  };
}

function wordsOf(outcome: Outcome, decisive: KeptStatement | undefined): string {
  switch (outcome) {
    case 'decides':
      return 'it counts';
    case 'superseded':
      return 'its author has said something newer';
    case 'outranked':
      return `${decisive?.author ?? 'another author'} goes first: by the order of the policy, or by being more cautious`;
    case 'other-version':
      return 'it is about another version of the package';
    case 'other-component':
      return 'it is about another component of the image';
    case 'other-product':
      return 'it is about another product: neither this image nor what is in it';
    case 'objected':
      return 'it may not count';
  }
}
