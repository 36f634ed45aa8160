import { isAllowed } from '../auth/permissions.ts';
import { actorOf, nameOf, type Principal } from '../auth/principal.ts';
import type { SecretBox } from '../auth/secret-box.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { NotifyError } from './errors.ts';
import {
  checkReceiver,
  type NewReceiver,
  type ReceiverKind,
  type ReceiverSettings,
  receiverSettings,
  shownTarget,
} from './receiver.ts';
import { type ReceiverHome, receiverRow, targetOf } from './receiver-row.ts';
import { sealedSecret, sealedTarget } from './sealed.ts';
import { newSigningSecret } from './signature.ts';

export interface ReceiverStoreDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly box: SecretBox;
}

/** A receiver as people see it. Times in epoch ms. */
export interface ReceiverView {
  readonly name: string;
  readonly kind: ReceiverKind;
  readonly address: string;
  readonly settings: ReceiverSettings;
  readonly paused: boolean;
  readonly createdBy: string;
  readonly createdAt: number;
  /** Failed since the last one that arrived. */
  readonly failures: number;
  readonly retryAt?: number;
  readonly lastDeliveredAt?: number;
  readonly lastError?: string;
  readonly waiting: number;
  readonly dead: number;
  /** Those that sign now: two during a rotation. */
  readonly secrets: readonly { readonly createdAt: number; readonly endsAt?: number }[];
}

const HOUR_MS = 3_600_000;
const USUAL_OVERLAP_HOURS = 24;
const MOST_PER_HOME = 100;

/** Who is told. Every change is in the ledger under `by`. */
export type ReceiverStore = ReturnType<typeof createReceiverStore>;

export function createReceiverStore({ db, clock, ledger, box }: ReceiverStoreDeps) {
  const find = (home: ReceiverHome, name: string) => receiverRow(db, home, name);

  async function views(rows: readonly Row<'notify_receivers'>[]): Promise<ReceiverView[]> {
    const ids = rows.map(({ id }) => id);
    if (ids.length === 0) return [];
    const counts = await db
      .selectFrom('notify_messages')
      .select(({ fn }) => ['receiver_id', 'state', fn.countAll<number | string>().as('count')])
      .where('receiver_id', 'in', ids)
      .where('state', 'in', ['waiting', 'dead'])
      .groupBy(['receiver_id', 'state'])
      .execute();
    const secrets = await db
      .selectFrom('notify_secrets')
      .selectAll()
      .where('receiver_id', 'in', ids)
      .orderBy('created_at')
      .execute();
    const countOf = (id: string, state: string) =>
      Number(counts.find((one) => one.receiver_id === id && one.state === state)?.count ?? 0);
    return rows.map((row) => ({
      name: row.name,
      kind: row.kind as ReceiverKind,
      address: row.shown,
      settings: receiverSettings.parse(JSON.parse(row.settings)),
      paused: row.paused === 1,
      createdBy: row.created_by,
      createdAt: row.created_at,
      failures: row.failures,
      ...(row.failures > 0 && row.retry_at > clock.now() ? { retryAt: row.retry_at } : {}),
      ...(row.last_delivered_at === null ? {} : { lastDeliveredAt: row.last_delivered_at }),
      ...(row.last_error === null ? {} : { lastError: row.last_error }),
      waiting: countOf(row.id, 'waiting'),
      dead: countOf(row.id, 'dead'),
      secrets: secrets
        .filter((one) => one.receiver_id === row.id && (one.ends_at === null || one.ends_at > clock.now()))
        .map(({ created_at, ends_at }) => ({
          createdAt: created_at,
          ...(ends_at === null ? {} : { endsAt: ends_at }),
        })),
    }));
  }

  async function one(home: ReceiverHome, name: string): Promise<ReceiverView> {
    const [view] = await views([await find(home, name)]);
    return view as ReceiverView;
  }

  async function addSecret(tx: Tx, receiverId: string): Promise<string> {
    const secret = newSigningSecret();
    const row = { id: newId(), receiver_id: receiverId, created_at: clock.now(), ends_at: null };
    await tx
      .insertInto('notify_secrets')
      .values({ ...row, sealed: sealedSecret(box, receiverId, secret) })
      .execute();
    return secret;
  }

  return {
    /**
     * Adds a receiver; the secret that signs what it is sent is in no other reply. Throws `NotifyError` `receiver_invalid`,
     * `receiver_exists`, `receiver_reach`.
     */
    async add(
      by: Principal,
      home: ReceiverHome,
      input: NewReceiver,
    ): Promise<{ readonly receiver: ReceiverView; readonly secret?: string }> {
      checkReceiver(input);
      const { name, kind, target, settings } = input;
      if ((settings.allowPrivate || settings.allowHttp) && !isAllowed(by, 'installation:update'))
        throw new NotifyError(
          'receiver_reach',
          'only an administrator of the installation lets the server connect to private addresses or without TLS; leave --allow-private and --allow-http out, or ask one',
        );
      const id = newId();
      const secret = await db.transaction().execute(async (tx) => {
        const { count } = await tx
          .selectFrom('notify_receivers')
          .select(({ fn }) => fn.countAll<number | string>().as('count'))
          .where('project_id', '=', home?.id ?? '')
          .executeTakeFirstOrThrow();
        if (Number(count) >= MOST_PER_HOME)
          throw new NotifyError('receiver_invalid', `there are ${MOST_PER_HOME} receivers already; remove one first`);
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto('notify_receivers')
          .values({
            id,
            name,
            project_id: home?.id ?? '',
            kind,
            target: sealedTarget(box, id, target),
            shown: shownTarget(target),
            settings: JSON.stringify(settings),
            paused: 0,
            created_by: nameOf(by),
            created_at: clock.now(),
            failures: 0,
            retry_at: 0,
            lease: null,
            leased_until: null,
            digest_at: null,
            last_delivered_at: null,
            last_error: null,
          })
          .onConflict((conflict) => conflict.columns(['project_id', 'name']).doNothing())
          .executeTakeFirst();
        if (numInsertedOrUpdatedRows === 0n)
          throw new NotifyError(
            'receiver_exists',
            `there is a receiver "${name}" already; remove it first, or choose another name`,
          );
        const made = kind === 'webhook' || kind === 'ticket' ? await addSecret(tx, id) : undefined;
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'notify.add',
          ...targetOf(home, name),
          details: { kind, address: shownTarget(target), settings },
        });
        return made;
      });
      return { receiver: await one(home, name), ...(secret === undefined ? {} : { secret }) };
    },

    /** By name: of a project, or of the installation. */
    async list(home: ReceiverHome): Promise<ReceiverView[]> {
      return views(
        await db
          .selectFrom('notify_receivers')
          .selectAll()
          .where('project_id', '=', home?.id ?? '')
          .orderBy('name')
          .execute(),
      );
    },

    /** Throws `NotifyError('receiver_unknown')`. */
    get: one,

    /** Removes it with its secrets and what it was not told yet. Throws `NotifyError('receiver_unknown')`. */
    async remove(by: Principal, home: ReceiverHome, name: string): Promise<void> {
      const { id } = await find(home, name);
      await db.transaction().execute(async (tx) => {
        for (const table of ['notify_secrets', 'notify_messages', 'notify_tickets'] as const)
          await tx.deleteFrom(table).where('receiver_id', '=', id).execute();
        await tx.deleteFrom('notify_receivers').where('id', '=', id).execute();
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'notify.remove',
          ...targetOf(home, name),
          details: { id },
        });
      });
    },

    /** What is for it waits until it is resumed. Throws `NotifyError('receiver_unknown')`. */
    async setPaused(by: Principal, home: ReceiverHome, name: string, paused: boolean): Promise<ReceiverView> {
      const { id, paused: before } = await find(home, name);
      await db.transaction().execute(async (tx) => {
        // Whoever resumes it wants to see at once whether it works now.
        const anew = paused ? {} : { failures: 0, retry_at: 0 };
        await tx
          .updateTable('notify_receivers')
          .set({ paused: paused ? 1 : 0, ...anew })
          .where('id', '=', id)
          .execute();
        if (!paused)
          await tx
            .updateTable('notify_messages')
            .set({ next_at: clock.now() })
            .where('receiver_id', '=', id)
            .where('state', '=', 'waiting')
            .execute();
        await ledger.append(tx, {
          actor: actorOf(by),
          action: paused ? 'notify.pause' : 'notify.resume',
          ...targetOf(home, name),
          details: { before: before === 1, after: paused },
        });
      });
      return one(home, name);
    },

    /**
     * Gives it a second secret. What it is sent is signed with both for `overlapHours` (24 unless told); with 0 with the new one alone.
     * Throws `NotifyError` `receiver_unknown`, `receiver_invalid` for one that is not signed, `receiver_rotating` while two count.
     */
    async rotate(
      by: Principal,
      home: ReceiverHome,
      name: string,
      overlapHours = USUAL_OVERLAP_HOURS,
    ): Promise<{ readonly receiver: ReceiverView; readonly secret: string }> {
      const { id, kind } = await find(home, name);
      if (kind !== 'webhook' && kind !== 'ticket')
        throw new NotifyError(
          'receiver_invalid',
          `what a ${kind} receiver is sent carries no signature; there is no secret to change`,
        );
      const secret = await db.transaction().execute(async (tx) => {
        // Two rotations at once: the second must see the first.
        await ledger.serialise(tx);
        const now = clock.now();
        await tx.deleteFrom('notify_secrets').where('receiver_id', '=', id).where('ends_at', '<=', now).execute();
        const open = await tx
          .selectFrom('notify_secrets')
          .select('ends_at')
          .where('receiver_id', '=', id)
          .where('ends_at', 'is not', null)
          .executeTakeFirst();
        if (open && overlapHours > 0)
          throw new NotifyError(
            'receiver_rotating',
            `two secrets of "${name}" sign until ${toRfc3339(open.ends_at ?? 0)}; wait, or rotate with an overlap of 0 to end both`,
          );
        const old = tx
          .updateTable('notify_secrets')
          .set({ ends_at: now + overlapHours * HOUR_MS })
          .where('receiver_id', '=', id);
        if (overlapHours > 0) await old.execute();
        else await tx.deleteFrom('notify_secrets').where('receiver_id', '=', id).execute();
        const made = await addSecret(tx, id);
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'notify.rotate',
          ...targetOf(home, name),
          details: { overlapUntil: toRfc3339(now + overlapHours * HOUR_MS) },
        });
        return made;
      });
      return { receiver: await one(home, name), secret };
    },
  };
}
