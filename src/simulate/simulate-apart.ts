import { sourcesOver } from '../apart/sources.ts';
import { createClusterAuditStore } from '../cluster/audit-store.ts';
import type { DatabaseLocation } from '../db/database.ts';
import { readAtOneMoment } from '../db/snapshot.ts';
import { createLedger } from '../ledger/ledger.ts';
import { systemClock } from '../platform/clock.ts';
import { openAdvisoryDatabase } from '../scanner/advisories/database.ts';
import { createSourceStore } from '../trust/source-store.ts';
import type { Outcome } from './outcome.ts';
import type { Question } from './question.ts';
import { simulate } from './simulate.ts';

/** A question with where to find what it is about. */
export interface SimulationTask {
  readonly location: DatabaseLocation;
  readonly hosts: readonly string[];
  /** File of the advisories in use; absent when there are none. */
  readonly advisories?: string;
  readonly question: Question;
}

/** Answers a question over a connection of its own that cannot write, from everything as it is at one moment. */
export async function simulateApart({ location, hosts, advisories, question }: SimulationTask): Promise<Outcome> {
  const current = advisories === undefined ? undefined : openAdvisoryDatabase(advisories);
  const candidate = question.advisories === undefined ? undefined : openAdvisoryDatabase(question.advisories);
  try {
    return await readAtOneMoment(location, (db) => {
      const base = { db, clock: systemClock, ledger: createLedger({ db, clock: systemClock }), fourEyes: true };
      return simulate(
        {
          // Nothing changes here: it is as it was at one moment.
          ...sourcesOver(db, { state: () => 0, hosts, advisories: () => current }),
          hosts,
          cluster: createClusterAuditStore(base),
          trust: createSourceStore(base),
          ...(candidate ? { candidate } : {}),
        },
        question,
      );
    });
  } finally {
    current?.close();
    candidate?.close();
  }
}
