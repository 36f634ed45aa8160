import { isSamePerson } from '../auth/persons.ts';
import { actorOf, nameOf, type Principal, personOf } from '../auth/principal.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { addEvents } from '../notify/outbox.ts';
import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { QuarantineError } from './errors.ts';
import { checkReason, checkTicket, type Quarantine, type QuarantineState, toQuarantine } from './quarantine.ts';
import { checkQualifiers, readTarget } from './target.ts';

export interface QuarantineStoreDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
}

export interface NewQuarantine {
  /** A digest or a package URL. */
  readonly target: string;
  /** Range of versions of a package URL without one. */
  readonly versions?: string;
  readonly reason: string;
  readonly ticket: string;
}

/** Kept in mind by every guard, and looked at for every image that comes in. */
const MOST_IN_FORCE = 5000;

interface Step {
  readonly action: string;
  readonly from: readonly QuarantineState[];
  readonly change: (
    row: Row<'quarantines'>,
    now: number,
  ) => Partial<Row<'quarantines'>> & { readonly state: QuarantineState };
  readonly reason: string;
}

/** Keeps quarantines. Every step is in the ledger under `by`. What they mean for verdicts is for `applyQuarantines` to bring about. */
export type QuarantineStore = ReturnType<typeof createQuarantineStore>;

export function createQuarantineStore({ db, clock, ledger }: QuarantineStoreDeps) {
  async function step(by: Principal, id: string, { action, from, change, reason }: Step): Promise<Quarantine> {
    checkReason(reason);
    return db.transaction().execute(async (tx) => {
      const row = await find(tx, id);
      if (!from.includes(row.state as QuarantineState)) throw wrongState(row, from);
      const set = change(row, clock.now());
      await checkSecondPerson(tx, by, row, set.state);
      // The state is part of the condition: of two decisions at once the second finds nothing to decide.
      const { numUpdatedRows } = await tx
        .updateTable('quarantines')
        .set(set)
        .where('id', '=', id)
        .where('state', '=', row.state)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw wrongState(await find(tx, id), from);
      const told = TOLD[set.state];
      if (told) await tell(tx, { by, row, state: told, reason, at: clock.now() });
      await ledger.append(tx, {
        actor: actorOf(by),
        action,
        target: `quarantine/${row.target}`,
        details: { id, before: row.state, after: set.state, reason },
      });
      return toQuarantine({ ...row, ...set });
    });
  }

  return {
    /**
     * Puts something under quarantine, now. Throws `QuarantineError`: `quarantine_invalid`, or `quarantine_exists` where the same is
     * under quarantine.
     */
    async add(by: Principal, input: NewQuarantine): Promise<Quarantine> {
      const target = readTarget(input.target, input.versions);
      checkQualifiers(target);
      checkReason(input.reason);
      checkTicket(input.ticket);
      const isPackage = target.kind === 'package';
      const row: Row<'quarantines'> = {
        id: newId(),
        target: target.text,
        digest: isPackage ? null : target.digest,
        purl: isPackage ? target.purl : null,
        versions: isPackage ? (target.versions ?? null) : null,
        reason: input.reason,
        ticket: input.ticket,
        state: 'active',
        added_by: nameOf(by),
        added_at: clock.now(),
        release_asked_by: null,
        release_asked_person: null,
        release_asked_at: null,
        release_reason: null,
        released_by: null,
        released_at: null,
        release_confirmed: null,
        applied_at: null,
      };
      await db.transaction().execute(async (tx) => {
        // Two at once: the second must see the first.
        await ledger.serialise(tx);
        const inForce = await tx
          .selectFrom('quarantines')
          .select(['id', 'target'])
          .where('state', '!=', 'released')
          .execute();
        const same = inForce.find(({ target: other }) => other === row.target);
        if (same)
          throw new QuarantineError(
            'quarantine_exists',
            `${row.target} is under quarantine already; see: breakwater quarantine show ${same.id}`,
          );
        if (inForce.length >= MOST_IN_FORCE)
          throw new QuarantineError(
            'quarantine_invalid',
            `there are ${MOST_IN_FORCE} quarantines, and there can be no more; release some, or name ranges of versions`,
          );
        await tx.insertInto('quarantines').values(row).execute();
        await tell(tx, { by, row, state: 'added', reason: row.reason, at: row.added_at });
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'quarantine.add',
          target: `quarantine/${row.target}`,
          details: { id: row.id, reason: row.reason, ticket: row.ticket },
        });
      });
      return toQuarantine(row);
    },

    /**
     * Asks for the end of a quarantine, or confirms what somebody else asked for: only then it is over. One's own robots and linked
     * accounts are oneself. Throws `QuarantineError`: `four_eyes`, `quarantine_state`, `quarantine_unknown`, `quarantine_invalid`.
     */
    async release(by: Principal, id: string, reason: string): Promise<Quarantine> {
      const { state } = await find(db, id);
      if (state === 'active')
        return step(by, id, {
          action: 'quarantine.ask-release',
          from: ['active'],
          reason,
          change: (_row, now) => ({
            state: 'release-asked',
            release_asked_by: nameOf(by),
            release_asked_person: personOf(by),
            release_asked_at: now,
            release_reason: reason,
          }),
        });
      return step(by, id, {
        action: 'quarantine.release',
        from: ['release-asked'],
        reason,
        change: (_row, now) => ({
          state: 'released',
          released_by: nameOf(by),
          released_at: now,
          release_confirmed: reason,
          applied_at: null,
        }),
      });
    },

    /** Takes the question for a release back, or turns it down: the quarantine stays. One person is enough. */
    keep(by: Principal, id: string, reason: string): Promise<Quarantine> {
      return step(by, id, {
        action: 'quarantine.keep',
        from: ['release-asked'],
        reason,
        change: () => ({
          state: 'active',
          release_asked_by: null,
          release_asked_person: null,
          release_asked_at: null,
          release_reason: null,
        }),
      });
    },

    async get(id: string): Promise<Quarantine> {
      return toQuarantine(await find(db, id));
    },

    /** Newest first; those that are over only when asked for. */
    async list({ released }: { readonly released: boolean }): Promise<Quarantine[]> {
      let query = db.selectFrom('quarantines').selectAll().orderBy('added_at', 'desc').orderBy('id');
      if (!released) query = query.where('state', '!=', 'released');
      return (await query.execute()).map(toQuarantine);
    },

    /** Those whose last change has not reached all verdicts yet. */
    async unapplied(): Promise<Quarantine[]> {
      const rows = await db
        .selectFrom('quarantines')
        .selectAll()
        .where('applied_at', 'is', null)
        .orderBy('id')
        .execute();
      return rows.map(toQuarantine);
    },

    /** Notes that the verdicts follow, unless there was another change meanwhile. */
    async noteApplied({ id, state }: Quarantine): Promise<void> {
      let update = db.updateTable('quarantines').set({ applied_at: clock.now() }).where('id', '=', id);
      update = update.where('state', state === 'released' ? '=' : '!=', 'released');
      await update.execute();
    },
  };
}

type Told = 'added' | 'release-requested' | 'released';
const TOLD: Readonly<Record<QuarantineState, Told | undefined>> = {
  active: undefined,
  'release-asked': 'release-requested',
  released: 'released',
};

async function tell(
  tx: Tx,
  { by, row, state, reason, at }: { by: Principal; row: Row<'quarantines'>; state: Told; reason: string; at: number },
): Promise<void> {
  const { id, target, ticket } = row;
  const data = { id, target, state, by: nameOf(by), reason, ticket };
  await addEvents(tx, [{ type: 'QUARANTINED', subject: target, severity: 'critical', at, data }]);
}

async function find(db: Db, id: string): Promise<Row<'quarantines'>> {
  const row = await db.selectFrom('quarantines').selectAll().where('id', '=', id).executeTakeFirst();
  if (row) return row;
  throw new QuarantineError(
    'quarantine_unknown',
    `there is no quarantine ${JSON.stringify(id.slice(0, 60))}; see: breakwater quarantine list`,
  );
}

async function checkSecondPerson(tx: Tx, by: Principal, row: Row<'quarantines'>, to: QuarantineState): Promise<void> {
  const { release_asked_person: first, release_asked_by: account, release_asked_at: since } = row;
  if (to !== 'released' || first === null) return;
  if (!(await isSamePerson(tx, personOf(by), first, since ?? 0))) return;
  throw new QuarantineError(
    'four_eyes',
    `${first} asked for this release${account === first ? '' : ` through ${account}`}; another person has to confirm it`,
  );
}

function wrongState({ id, state, target }: Row<'quarantines'>, wanted: readonly QuarantineState[]): QuarantineError {
  const why =
    state === 'released' ? 'is over' : state === 'active' ? 'has nobody asking for its release' : 'is in force';
  return new QuarantineError(
    'quarantine_state',
    `the quarantine of ${target} ${why}: this needs it ${wanted.join(' or ')}; see: breakwater quarantine show ${id}`,
  );
}
