import { actorOf, type Principal } from '../auth/principal.ts';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { TRIED_FOR_MS } from './backoff.ts';
import { NotifyError } from './errors.ts';
import { isFor, toReceiver } from './receiver.ts';
import { type ReceiverHome, receiverRow, targetOf } from './receiver-row.ts';
import { type ToldEvent, toldEvent } from './told-event.ts';

export const MESSAGE_STATES = ['waiting', 'held', 'delivered', 'dead'] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

/** A message and what became of it. Times in epoch ms. */
export interface MessageView {
  readonly id: string;
  readonly sequence: number;
  readonly type: string;
  readonly subject: string;
  readonly at: number;
  readonly state: MessageState;
  readonly attempts: number;
  readonly nextAt?: number;
  readonly settledAt?: number;
  readonly lastError?: string;
}

export interface MessageListDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
}

/** What receivers were sent, and having it sent again. */
export type MessageList = ReturnType<typeof createMessageList>;

export function createMessageList({ db, clock, ledger }: MessageListDeps) {
  return {
    /** The newest first; `before` is the sequence of the last one already seen. */
    async list(
      home: ReceiverHome,
      name: string,
      query: { readonly state?: MessageState; readonly before?: number; readonly limit: number },
    ): Promise<MessageView[]> {
      const { id } = await receiverRow(db, home, name);
      let select = db
        .selectFrom('notify_messages')
        .selectAll()
        .where('receiver_id', '=', id)
        .orderBy('id', 'desc')
        .limit(query.limit);
      if (query.state !== undefined) select = select.where('state', '=', query.state);
      if (query.before !== undefined) select = select.where('id', '<', query.before);
      return (await select.execute()).map(toView);
    },

    /**
     * Sends again, as it was and under the same id: one message, or all that were given up. Gives how many. Throws `NotifyError`
     * `receiver_unknown`, `message_unknown`.
     */
    async resend(by: Principal, home: ReceiverHome, name: string, message?: string): Promise<number> {
      const { id } = await receiverRow(db, home, name);
      const now = clock.now();
      return db.transaction().execute(async (tx) => {
        let update = tx
          .updateTable('notify_messages')
          .set({ state: 'waiting', attempts: 0, next_at: now, gives_up_at: now + TRIED_FOR_MS, settled_at: null })
          .where('receiver_id', '=', id);
        update =
          message === undefined
            ? update.where('state', '=', 'dead')
            : update.where('uid', '=', message).where('state', '!=', 'held');
        const count = Number((await update.executeTakeFirst()).numUpdatedRows);
        if (count === 0 && message !== undefined)
          throw new NotifyError(
            'message_unknown',
            `"${name}" was sent no message "${message.slice(0, 80)}"; see: breakwater notify messages ${name}`,
          );
        if (count > 0)
          await tx.updateTable('notify_receivers').set({ failures: 0, retry_at: 0 }).where('id', '=', id).execute();
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'notify.resend',
          ...targetOf(home, name),
          details: { messages: count, ...(message === undefined ? {} : { id: message }) },
        });
        return count;
      });
    },

    /** Everything that one message sums up, in the order in which it happened, as far as the receiver is told of it. */
    async changes(
      home: ReceiverHome,
      name: string,
      uid: string,
      query: { readonly after?: number; readonly limit: number },
    ): Promise<{ readonly items: ToldEvent['items']; readonly next?: number }> {
      const row = await receiverRow(db, home, name);
      const message = await db
        .selectFrom('notify_messages')
        .select('batch_id')
        .where('receiver_id', '=', row.id)
        .where('uid', '=', uid)
        .executeTakeFirst();
      if (!message?.batch_id)
        throw new NotifyError(
          'message_unknown',
          `"${name}" was sent no message "${uid.slice(0, 80)}" that sums up others`,
        );
      const receiver = toReceiver(row, home?.name ?? null);
      const rows = await db
        .selectFrom('outbox')
        .selectAll()
        .where('batch_id', '=', message.batch_id)
        .where('id', '>', query.after ?? 0)
        .orderBy('id')
        .limit(query.limit)
        .execute();
      const last = rows.at(-1);
      return {
        items: rows.map(toldEvent).flatMap((event) => (isFor(receiver, event) ? event.items : [])),
        ...(last && rows.length === query.limit ? { next: last.id } : {}),
      };
    },
  };
}

function toView(row: Row<'notify_messages'>): MessageView {
  return {
    id: row.uid,
    sequence: row.id,
    type: row.type,
    subject: row.subject,
    at: row.at,
    state: row.state as MessageState,
    attempts: row.attempts,
    ...(row.state === 'waiting' ? { nextAt: row.next_at } : {}),
    ...(row.settled_at === null ? {} : { settledAt: row.settled_at }),
    ...(row.last_error === null ? {} : { lastError: row.last_error }),
  };
}
