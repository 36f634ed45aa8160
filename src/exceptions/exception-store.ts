import { actorOf, type Principal, personOf } from '../auth/principal.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { DatabaseState } from '../db/unchanged.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { addEvents } from '../notify/outbox.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { defined } from '../platform/defined.ts';
import { newId } from '../platform/ids.ts';
import { checkEnding, type Where } from './check-ending.ts';
import { checkRead } from './check-read.ts';
import type { Readable } from './check-stored.ts';
import { completeRequest } from './complete-request.ts';
import { createDeciding, type Deciding, type Step } from './deciding.ts';
import { ExceptionError } from './errors.ts';
import {
  EVERY_PROJECT,
  type ExceptionRecord,
  type ExceptionSubject,
  fromSubject,
  MOST_AT_ONCE,
  type NewException,
  requestersOf,
  toRecord,
} from './exception.ts';
import { exceptionsRequested } from './exception-events.ts';
import { type ExceptionQuery, findRow, type Place, selectRows, targetOf, updateRow } from './exception-rows.ts';
import { accountsOf, ownParts, ownRequest } from './four-eyes.ts';
import { createGranted } from './granted.ts';
import { type About, knownRisk, prepareRisks } from './known-risk.ts';
import { lifeOf } from './life.ts';
import { furthestEnd, type LimitSource, latestEnd } from './limits.ts';
import { askedIn, type Grant, narrowRequest } from './narrow-request.ts';
import { fromAsked, newRow } from './new-row.ts';

export interface ExceptionStoreDeps {
  readonly db: Db;
  /** Of the table of exceptions. */
  readonly state: DatabaseState;
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** Nobody grants what they asked for themselves. Without it such grants are marked single-handed. */
  readonly fourEyes: boolean;
  readonly limits: LimitSource;
  /** Names of the projects that somebody may read. */
  readonly readableFor: (by: Principal) => Promise<Readable>;
}

/** What a renewal says anew. */
interface Renewal {
  readonly reason: string;
  readonly until: number;
  readonly ticket?: string;
}

/** Keeps requests for exceptions and what became of them. Every step is in the ledger under `by`. */
export type ExceptionStore = ReturnType<typeof createExceptionStore>;

export function createExceptionStore(deps: ExceptionStoreDeps) {
  const { db, clock, ledger, limits } = deps;

  const { telling, decide } = createDeciding({ clock, note });

  function note(tx: Tx, by: Principal, place: Place, action: string, details: Readonly<Record<string, unknown>>) {
    return ledger.append(tx, { actor: actorOf(by), action, target: targetOf(place), details });
  }

  /**
   * Runs a step in a transaction, with the limits that count there. They are read before it, and the advisories looked through
   * for what it is about: that takes longer than others should wait.
   */
  async function inPlace<Value>(
    by: Principal,
    place: Place,
    about: About,
    step: (tx: Tx, at: Where) => Promise<Value>,
  ): Promise<Value> {
    const within = await limits.limitsOf(place.id);
    await prepareRisks(db, limits, about);
    const readable = place.id === EVERY_PROJECT ? await deps.readableFor(by) : new Set([place.name]);
    return db.transaction().execute((tx) => step(tx, { ...place, within, readable }));
  }

  async function add(
    tx: Tx,
    by: Principal,
    place: Where,
    wanted: NewException,
    more: Pick<Row<'exceptions'>, 'batch' | 'renews'>,
  ): Promise<Row<'exceptions'>> {
    const now = clock.now();
    const completed = await completeRequest(tx, place, wanted);
    const lifeFrom = await checkEnding({ ...deps, db: tx }, place, completed, more);
    const row = newRow(completed, {
      projectId: place.id,
      by,
      accounts: await accountsOf(tx, by),
      now,
      lifeFrom,
      ...more,
    });
    await tx.insertInto('exceptions').values(row).execute();
    await note(tx, by, place, 'exception.request', {
      id: row.id,
      ...completed,
      until: toRfc3339(completed.until),
      ...(more.renews === null ? {} : { renews: more.renews }),
      ...(more.batch === null ? {} : { batch: more.batch }),
    });
    return row;
  }

  async function addOne(
    tx: Tx,
    by: Principal,
    place: Where,
    wanted: NewException,
    renews: string | null,
  ): Promise<ExceptionRecord> {
    const row = await add(tx, by, place, wanted, { batch: null, renews });
    await addEvents(tx, exceptionsRequested([row], place.name));
    return toRecord(row, row.requested_at);
  }

  function grantIn(
    deciding: Deciding,
    by: Principal,
    place: Where,
    id: string,
    grant: Grant,
  ): Promise<ExceptionRecord> {
    const step: Step = { from: ['requested'], to: 'granted', action: 'exception.grant', reason: grant.reason };
    const { tx } = deciding;
    return decide(deciding, by, place, id, step, async (current, now) => {
      checkRead(current, grant.revision);
      const own = await ownParts(tx, by, current);
      if (own.length > 0 && deps.fourEyes)
        throw new ExceptionError('four_eyes', ownRequest(current, personOf(by), own));
      const narrowed = await narrowRequest(tx, place, current, grant);
      // Another may have been granted since it was asked for.
      const began =
        (await checkEnding({ ...deps, db: tx }, place, narrowed, {
          renews: current.renews,
          began: current.life_from,
        })) ?? now;
      return {
        ...fromSubject(narrowed),
        fix_days: narrowed.fixDays ?? null,
        until: narrowed.until,
        life_from: began < now ? began : null,
        valid_from: now,
        single_handed: own.length > 0 ? 1 : 0,
      };
    });
  }

  function denyIn(
    deciding: Deciding,
    by: Principal,
    place: Place,
    id: string,
    denial: Pick<Grant, 'reason' | 'revision'>,
  ) {
    const step: Step = { from: ['requested'], to: 'denied', action: 'exception.deny', reason: denial.reason };
    return decide(deciding, by, place, id, step, async (current) => {
      checkRead(current, denial.revision);
      return {};
    });
  }

  async function atOnce<Item, Value>(
    by: Principal,
    place: Place,
    items: readonly Item[],
    about: About,
    step: (tx: Tx, at: Where, items: readonly Item[]) => Promise<Value[]>,
  ): Promise<Value[]> {
    if (items.length === 0 || items.length > MOST_AT_ONCE)
      throw new ExceptionError(
        'exception_invalid',
        `from 1 to ${MOST_AT_ONCE} exceptions go together; here are ${items.length}`,
      );
    return inPlace(by, place, about, (tx, at) => step(tx, at, items));
  }

  return {
    /** The furthest end that a request about a vulnerability may have now. Epoch ms. */
    async furthestEnd(projectId: string, vulnerability: string): Promise<number> {
      const { severity } = await knownRisk(db, limits, vulnerability);
      return furthestEnd(await limits.limitsOf(projectId), severity, clock.now());
    },

    /** The furthest end that this would be granted with now: by its severity, and by what it continues. Epoch ms. */
    async latestEnd(place: Place, subject: ExceptionSubject): Promise<number> {
      const now = clock.now();
      const { names, severity } = await knownRisk(db, limits, subject.vulnerability);
      const at = { ...place, readable: new Set([place.name]) };
      const began = await lifeOf(db, at, { subject, names, renews: null }, now);
      return latestEnd(await limits.limitsOf(place.id), { severity, lifeFrom: began }, now);
    },

    /** Asks for an exception. Throws `ExceptionError('exception_invalid')` that names every wrong field. */
    async request(by: Principal, place: Place, input: NewException): Promise<ExceptionRecord> {
      return inPlace(by, place, { asked: [input] }, (tx, at) => addOne(tx, by, at, input, null));
    },

    /** Asks for several together: all of them, or none when one cannot be. They may be decided together or one by one. */
    async requestMany(by: Principal, place: Place, inputs: readonly NewException[]): Promise<ExceptionRecord[]> {
      const batch = newId();
      let number = 0;
      try {
        return await atOnce(by, place, inputs, { asked: inputs }, async (tx, at, items) => {
          const rows = [];
          for (const input of items) {
            number += 1;
            rows.push(await add(tx, by, at, input, { batch, renews: null }));
          }
          await addEvents(tx, exceptionsRequested(rows, place.name));
          return rows.map((row) => toRecord(row, row.requested_at));
        });
      } catch (error) {
        if (error instanceof ExceptionError && number > 0)
          throw new ExceptionError(
            error.code,
            `number ${number} of ${inputs.length}: ${error.message}; none was asked for`,
          );
        throw error;
      }
    },

    /**
     * Changes what is asked for, while it is not decided. Whoever does so counts as one of those who asked. Throws `ExceptionError`.
     */
    async edit(by: Principal, place: Place, id: string, changes: Partial<NewException>): Promise<ExceptionRecord> {
      return inPlace(by, place, { ids: [id], asked: [changes] }, async (tx, at) => {
        const now = clock.now();
        const current = await findRow(tx, place, id);
        const asked = await completeRequest(tx, at, { ...askedIn(current), ...changes });
        const lifeFrom = await checkEnding({ ...deps, db: tx }, at, asked, { renews: current.renews });
        const accounts = [...new Set([...requestersOf(current), ...(await accountsOf(tx, by))])].sort();
        const set = {
          ...fromAsked(asked),
          life_from: lifeFrom ?? null,
          requester_accounts: JSON.stringify(accounts),
          revision: current.revision + 1,
        };
        await updateRow(tx, current, ['requested'], set);
        await note(tx, by, place, 'exception.edit', {
          id,
          revision: set.revision,
          before: { ...askedIn(current), until: toRfc3339(current.until) },
          ...asked,
          until: toRfc3339(asked.until),
        });
        return toRecord({ ...current, ...set }, now);
      });
    },

    /**
     * Asks for the same again, to a later end. It counts from its own grant; the one it continues holds to its own end. Throws
     * `ExceptionError('exception_state')` for one that was never granted.
     */
    async renew(by: Principal, place: Place, id: string, renewal: Renewal): Promise<ExceptionRecord> {
      return inPlace(by, place, { ids: [id] }, async (tx, at) => {
        const current = await findRow(tx, place, id);
        if (current.state !== 'granted')
          throw new ExceptionError(
            'exception_state',
            `this exception is ${current.state}; only one that was granted can be renewed, ask anew instead`,
          );
        const { ticket = current.ticket ?? undefined, ...said } = renewal;
        const wanted = { ...askedIn(current), ...said, ...(ticket === undefined ? {} : { ticket }) };
        return addOne(tx, by, at, wanted, current.id);
      });
    },

    /**
     * Grants it from now on; it may be narrower and end earlier than was asked, never wider or later. Throws `ExceptionError` `four_eyes`,
     * `exception_state`, `exception_unknown`, `exception_invalid`, and
     * `exception_edited` for a revision that is not the one that was read.
     */
    async grant(by: Principal, place: Place, id: string, grant: Grant): Promise<ExceptionRecord> {
      return inPlace(by, place, { ids: [id] }, (tx, at) =>
        telling(tx, place, (deciding) => grantIn(deciding, by, at, id, grant)),
      );
    },

    /** Turns a request down, as it was read. */
    async deny(
      by: Principal,
      place: Place,
      id: string,
      denial: Pick<Grant, 'reason' | 'revision'>,
    ): Promise<ExceptionRecord> {
      return db
        .transaction()
        .execute((tx) => telling(tx, place, (deciding) => denyIn(deciding, by, place, id, denial)));
    },

    /** Decides several requests together: all of them, or none when one cannot be. */
    async decideMany(
      by: Principal,
      place: Place,
      ids: readonly string[],
      decision: {
        readonly to: 'granted' | 'denied';
        readonly reason: string;
        readonly until?: number;
        /** By id; see `Grant`. */
        readonly revisions?: ReadonlyMap<string, number>;
      },
    ): Promise<ExceptionRecord[]> {
      const { to, revisions, ...said } = decision;
      const about = to === 'granted' ? { ids } : {};
      return atOnce(by, place, ids, about, (tx, at, all) =>
        telling(tx, place, async (deciding) => {
          const records = [];
          for (const id of all) {
            const grant = { ...said, ...defined({ revision: revisions?.get(id) }) };
            const step = to === 'granted' ? grantIn : denyIn;
            records.push(await step(deciding, by, at, id, grant));
          }
          return records;
        }),
      );
    },

    /** Ends a granted exception now, or takes a request back. */
    async revoke(by: Principal, place: Place, id: string, reason: string): Promise<ExceptionRecord> {
      const step: Step = { from: ['requested', 'granted'], to: 'revoked', action: 'exception.revoke', reason };
      return db.transaction().execute((tx) => telling(tx, place, (deciding) => decide(deciding, by, place, id, step)));
    },

    /** Throws `ExceptionError('exception_unknown')`. */
    async get(place: Place, id: string): Promise<ExceptionRecord> {
      return toRecord(await findRow(db, place, id), clock.now());
    },

    /** Of one project, of the installation, or of all; newest first. */
    async list(query: ExceptionQuery = {}): Promise<ExceptionRecord[]> {
      const now = clock.now();
      return (await selectRows(db, query)).map((row) => toRecord(row, now));
    },

    granted: createGranted(deps),
  };
}
