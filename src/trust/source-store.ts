import { isSamePerson } from '../auth/persons.ts';
import { actorOf, nameOf, type Principal, personOf, SYSTEM } from '../auth/principal.ts';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { canonicalEntry } from './canonical-entry.ts';
import { TrustError } from './errors.ts';
import { parseEntry, type TrustEntry, TrustEntryError } from './match/entry.ts';
import { lintEntry } from './match/lint.ts';
import type { Measured } from './measured.ts';
import {
  checkAnalysis,
  checkReason,
  checkReviewDue,
  checkText,
  type RiskAnalysis,
  type TrustedSource,
  toSource,
} from './trusted-source.ts';

const DAY = 86_400_000;

/** An entry that is trusted now. */
export interface ApprovedEntry {
  readonly entry: string;
  /** Its review date has passed. */
  readonly reviewDue: boolean;
}

export interface SourceStoreDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** Nobody approves or reviews what they proposed themselves. */
  readonly fourEyes: boolean;
  /** Days ahead that a review may lie. */
  readonly mostReviewDays?: number | undefined;
  /** Days after which a source that was due for review is not trusted any more; absent: it stays trusted. */
  readonly overdueDays?: number | undefined;
}

/** What was measured, with what is written down about a source. */
interface WithMeasured {
  readonly measured?: Measured | undefined;
}

type Step = {
  readonly action: string;
  readonly from: readonly string[];
  readonly reason: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly change: Partial<Row<'trusted_sources'>>;
  /** Makes it trusted: takes a second person. */
  readonly trusts: boolean;
};

/** Keeps trusted sources from proposal to retirement. Every step is in the ledger under `by`. */
export type SourceStore = ReturnType<typeof createSourceStore>;

export function createSourceStore(deps: SourceStoreDeps) {
  const { db, clock, ledger } = deps;

  async function get(id: string): Promise<TrustedSource> {
    const row = await db.selectFrom('trusted_sources').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw unknown(id);
    return view(row);
  }

  function view(row: Row<'trusted_sources'>): TrustedSource {
    return toSource(row, clock.now(), lintEntry(row.entry));
  }

  async function decide(by: Principal, id: string, step: Step): Promise<TrustedSource> {
    checkReason(step.reason);
    const person = personOf(by);
    await db.transaction().execute(async (tx) => {
      const row = await tx.selectFrom('trusted_sources').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row) throw unknown(id);
      const own = step.trusts && (await isSamePerson(tx, person, row.proposed_by, row.proposed_at));
      if (own && deps.fourEyes)
        throw new TrustError(
          'four_eyes',
          `${person}${person === row.proposed_by ? '' : ` is also ${row.proposed_by}, who`} proposed ${row.entry}; another person has to approve it`,
        );
      const now = clock.now();
      // The state is part of the condition: of two decisions at once the second finds nothing to decide.
      const { numUpdatedRows } = await tx
        .updateTable('trusted_sources')
        .set({ decided_by: person, decided_at: now, decision_reason: step.reason, ...step.change })
        .where('id', '=', id)
        .where('state', 'in', step.from)
        .executeTakeFirst();
      if (numUpdatedRows === 0n)
        throw new TrustError('source_state', `${row.entry} is ${row.state}; this needs it ${step.from.join(' or ')}`);
      await ledger.append(tx, {
        actor: actorOf(by),
        action: step.action,
        target: `trust/${row.entry}`,
        details: {
          id,
          before: row.state,
          after: step.change.state ?? row.state,
          reason: step.reason,
          ...step.details,
          ...(own ? { singleHanded: true } : {}),
        },
      });
    });
    return get(id);
  }

  return {
    get,

    /**
     * Proposes an entry with its risk analysis. What is doubtful about it is in `problems` of what is returned. Throws
     * `TrustError` `source_invalid`, or `source_exists` while the same entry is proposed or approved.
     */
    async propose(
      by: Principal,
      input: RiskAnalysis & WithMeasured & { readonly entry: string },
    ): Promise<TrustedSource> {
      const parsed = readEntry(input.entry);
      const now = clock.now();
      checkAnalysis(input, now, deps.mostReviewDays);
      const row: Row<'trusted_sources'> = {
        id: newId(),
        scope: parsed.scope,
        entry: canonicalEntry(parsed),
        state: 'proposed',
        criteria: input.criteria,
        findings: input.findings,
        owner: input.owner,
        proposed_by: personOf(by),
        proposed_at: now,
        decided_by: null,
        decided_at: null,
        decision_reason: null,
        review_due: input.reviewDue,
        retired_at: null,
        measured: input.measured ? JSON.stringify(input.measured) : null,
      };
      await db.transaction().execute(async (tx) => {
        // Two proposals at once: the second must see the first.
        await ledger.serialise(tx);
        const same = await tx
          .selectFrom('trusted_sources')
          .select('state')
          .where('entry', '=', row.entry)
          .where('state', '!=', 'retired')
          .executeTakeFirst();
        if (same) throw new TrustError('source_exists', `${row.entry} is ${same.state} already`);
        await tx.insertInto('trusted_sources').values(row).execute();
        const { scope, entry, criteria, findings, owner } = row;
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'trust.propose',
          target: `trust/${entry}`,
          details: { id: row.id, scope, criteria, findings, owner, reviewDue: row.review_due },
        });
      });
      return view(row);
    },

    /** From now on it is trusted. Throws `TrustError` `four_eyes`, `source_state`, `source_unknown`, `source_invalid`. */
    approve(by: Principal, id: string, reason: string): Promise<TrustedSource> {
      return decide(by, id, {
        action: 'trust.approve',
        from: ['proposed'],
        reason,
        change: { state: 'approved' },
        trusts: true,
      });
    },

    /** Somebody looked again at an approved or lapsed source and goes on trusting it until the next date. */
    async review(
      by: Principal,
      id: string,
      input: WithMeasured & { readonly findings: string; readonly reviewDue: number; readonly reason: string },
    ): Promise<TrustedSource> {
      checkText('the findings', input.findings);
      checkReviewDue(input.reviewDue, clock.now(), deps.mostReviewDays);
      return decide(by, id, {
        action: 'trust.review',
        from: ['approved', 'lapsed'],
        reason: input.reason,
        details: { findings: input.findings, reviewDue: input.reviewDue },
        change: {
          state: 'approved',
          findings: input.findings,
          review_due: input.reviewDue,
          ...(input.measured ? { measured: JSON.stringify(input.measured) } : {}),
        },
        trusts: true,
      });
    },

    /** It is not trusted any more, or a proposal is turned down. One person is enough to trust less. */
    retire(by: Principal, id: string, reason: string): Promise<TrustedSource> {
      return decide(by, id, {
        action: 'trust.retire',
        from: ['proposed', 'approved', 'lapsed'],
        reason,
        change: { state: 'retired', retired_at: clock.now() },
        trusts: false,
      });
    },

    /** Stops trusting what nobody reviewed in time, where the installation says so. Gives the entries. */
    async lapseOverdue(): Promise<string[]> {
      const { overdueDays } = deps;
      if (overdueDays === undefined) return [];
      const limit = clock.now() - overdueDays * DAY;
      const rows = await db
        .selectFrom('trusted_sources')
        .select(['id', 'entry', 'review_due'])
        .where('state', '=', 'approved')
        .where('review_due', '<=', limit)
        .orderBy('entry')
        .execute();
      const lapsed: string[] = [];
      for (const { id, entry, review_due } of rows)
        await db.transaction().execute(async (tx) => {
          // It may have been reviewed meanwhile.
          const { numUpdatedRows } = await tx
            .updateTable('trusted_sources')
            .set({ state: 'lapsed' })
            .where('id', '=', id)
            .where('state', '=', 'approved')
            .where('review_due', '=', review_due)
            .executeTakeFirst();
          if (numUpdatedRows === 0n) return;
          lapsed.push(entry);
          const details = { id, before: 'approved', after: 'lapsed', reviewDue: review_due, overdueDays };
          await ledger.append(tx, { actor: nameOf(SYSTEM), action: 'trust.lapse', target: `trust/${entry}`, details });
        });
      return lapsed;
    },

    /** All sources by entry, retired ones too. */
    async list(): Promise<TrustedSource[]> {
      const rows = await db.selectFrom('trusted_sources').selectAll().orderBy('entry').orderBy('proposed_at').execute();
      return rows.map(view);
    },

    /** What is trusted at a moment (epoch ms), by entry. A review that is due takes nothing away. */
    async approvedEntries(now: number = clock.now()): Promise<ApprovedEntry[]> {
      const rows = await db
        .selectFrom('trusted_sources')
        .select(['entry', 'review_due'])
        .where('state', '=', 'approved')
        .orderBy('entry')
        .execute();
      return rows.map(({ entry, review_due }) => ({ entry, reviewDue: review_due <= now }));
    },
  };
}

/** Reads an entry. Throws `TrustError('source_invalid')`. */
export function readEntry(text: string): TrustEntry {
  try {
    return parseEntry(text);
  } catch (cause) {
    if (!(cause instanceof TrustEntryError)) throw cause;
    throw new TrustError('source_invalid', cause.message, { cause });
  }
}

function unknown(id: string): TrustError {
  return new TrustError('source_unknown', `there is no trusted source ${JSON.stringify(id.slice(0, 60))}`);
}
