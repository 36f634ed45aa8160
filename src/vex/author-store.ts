import { actorOf, type Principal, personOf } from '../auth/principal.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { reasonProblem } from '../platform/reason.ts';
import { checkAuthor, type NewAuthor, toAuthor, type VexAuthor } from './author.ts';
import { VexError } from './errors.ts';
import { readPublicKey } from './keys.ts';
import type { VexChange } from './ports.ts';

/** Each document is tried with every key. */
const MOST_AUTHORS = 200;
const LONGEST_REASON = 4000;

export interface AuthorStoreDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** Marks what a change touches, in its transaction. */
  readonly touched: (tx: Tx, change: VexChange) => Promise<void>;
}

/** Keeps the declared authors of VEX. Every step is in the ledger. */
export function createAuthorStore({ db, clock, ledger, touched }: AuthorStoreDeps) {
  async function get(id: string): Promise<VexAuthor> {
    const row = await db.selectFrom('vex_authors').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw unknownAuthor(id);
    return toAuthor(row, clock.now());
  }

  return {
    get,

    /** Declares an author. Throws `VexError` `author_invalid`, `author_exists`. */
    async add(by: Principal, input: NewAuthor): Promise<VexAuthor> {
      const now = clock.now();
      const { pem, fingerprint } = readPublicKey(input.key);
      const author = checkAuthor(input, now);
      const row: Row<'vex_authors'> = {
        id: newId(),
        name: author.name,
        public_key: pem,
        fingerprint,
        products: JSON.stringify(author.products),
        statuses: JSON.stringify(author.statuses),
        criteria: author.criteria,
        findings: author.findings,
        owner: author.owner,
        review_due: author.reviewDue,
        added_by: personOf(by),
        added_at: now,
        retired_by: null,
        retired_at: null,
        retire_reason: null,
        revoked_at: null,
      };
      await db.transaction().execute(async (tx) => {
        // Two at once: the second must see the first.
        await ledger.serialise(tx);
        const authors = await tx.selectFrom('vex_authors').select(['name', 'fingerprint', 'retired_at']).execute();
        const same = authors.find(({ name, fingerprint: known }) => name === row.name || known === fingerprint);
        if (same)
          throw new VexError(
            'author_exists',
            `${same.name} has that ${same.name === row.name ? 'name' : 'key'}${same.retired_at === null ? '' : ' and is retired; a retired one does not come back'}`,
          );
        if (authors.length >= MOST_AUTHORS)
          throw new VexError('author_invalid', `there are ${MOST_AUTHORS} authors, which is the most there can be`);
        await tx.insertInto('vex_authors').values(row).execute();
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'vex-author.add',
          target: `vex-author/${row.name}`,
          details: {
            id: row.id,
            fingerprint,
            products: author.products,
            statuses: author.statuses,
            criteria: row.criteria,
            findings: row.findings,
            owner: row.owner,
            reviewDue: toRfc3339(row.review_due),
          },
        });
      });
      return toAuthor(row, now);
    },

    /** Retired ones too, by name. */
    async list(): Promise<VexAuthor[]> {
      const now = clock.now();
      const rows = await db.selectFrom('vex_authors').selectAll().orderBy('name').execute();
      return rows.map((row) => toAuthor(row, now));
    },

    /**
     * Nothing of the author counts from now on; with `revokedAt`, a moment until now, what was here before it goes on counting and
     * nothing that came or comes later does. Throws `VexError` `author_unknown`, `author_state`, `author_invalid`.
     */
    async retire(
      by: Principal,
      id: string,
      { reason, revokedAt }: { readonly reason: string; readonly revokedAt?: number },
    ): Promise<{ readonly author: VexAuthor; readonly change: VexChange }> {
      const now = clock.now();
      const problem = reasonProblem(reason, LONGEST_REASON);
      if (problem !== undefined) throw new VexError('author_invalid', `retiring needs a reason: ${problem}`);
      if (revokedAt !== undefined && !(revokedAt <= now))
        throw new VexError(
          'author_invalid',
          'a key can be revoked from now or from a moment in the past, not from later on',
        );
      const change: VexChange = {};
      const row = await db.transaction().execute(async (tx) => {
        const before = await tx.selectFrom('vex_authors').selectAll().where('id', '=', id).executeTakeFirst();
        if (!before) throw unknownAuthor(id);
        const set = { retired_by: personOf(by), retired_at: now, retire_reason: reason, revoked_at: revokedAt ?? null };
        const { numUpdatedRows } = await tx
          .updateTable('vex_authors')
          .set(set)
          .where('id', '=', id)
          .where('retired_at', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) throw new VexError('author_state', `${before.name} is retired already`);
        await touched(tx, change);
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'vex-author.retire',
          target: `vex-author/${before.name}`,
          details: { id, reason, ...(revokedAt === undefined ? {} : { revokedAt: toRfc3339(revokedAt) }) },
        });
        return { ...before, ...set };
      });
      return { author: toAuthor(row, now), change };
    },
  };
}

function unknownAuthor(id: string): VexError {
  return new VexError(
    'author_unknown',
    `there is no author ${JSON.stringify(id.slice(0, 60))}; see: breakwater vex author list`,
  );
}
