import type { Db } from '../db/database.ts';
import type { DatabaseState } from '../db/unchanged.ts';
import { createGranted } from '../exceptions/granted.ts';
import { createLedger } from '../ledger/ledger.ts';
import { systemClock } from '../platform/clock.ts';
import { createPolicyStore } from '../projects/policy-store.ts';
import { createQuarantineAnswers } from '../quarantine/answers.ts';
import type { AdvisoryDatabase } from '../scanner/advisories/types.ts';
import type { Sources } from '../verdicts/sources.ts';
import { createVexSource } from '../vex/source.ts';

/** What is kept of it in memory, beside what verdicts are marked or made stale by. */
export const KEPT_TABLES = ['exceptions', 'vex_documents', 'vex_authors', 'quarantines'] as const;

/** What verdicts are computed from, over a connection of one's own. `state` tells when what is kept may have changed. */
export function sourcesOver(
  db: Db,
  {
    state,
    hosts,
    advisories,
  }: {
    readonly state: DatabaseState;
    readonly hosts: readonly string[];
    readonly advisories: () => AdvisoryDatabase | undefined;
  },
): Sources {
  const base = { db, clock: systemClock, ledger: createLedger({ db, clock: systemClock }), fourEyes: true, state };
  return {
    ...base,
    advisories: { current: advisories },
    policies: createPolicyStore(base),
    exceptions: { granted: createGranted(base) },
    vex: createVexSource({ ...base, hosts }),
    quarantines: createQuarantineAnswers(base),
  };
}
