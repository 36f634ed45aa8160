import { batches } from '../db/batches.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { freshMessage } from './fresh-message.ts';
import type { DigestData } from './message.ts';
import { receiverSettings } from './receiver.ts';
import { storedMessage } from './stored-message.ts';
import { lineOf } from './words.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A day's digest goes out at seven in the morning, UTC. */
const MORNING_MS = 7 * HOUR_MS;
const MOST_LINES = 50;

/** The first moment after `now` (epoch ms) at which a digest goes out. */
function nextDigest(digest: 'hourly' | 'daily', now: number): number {
  const [length, offset] = digest === 'hourly' ? [HOUR_MS, 0] : [DAY_MS, MORNING_MS];
  return (Math.floor((now - offset) / length) + 1) * length + offset;
}

/** Makes one message of all that was held back for each receiver whose moment has come. Gives how many it made. */
export async function makeDigests({ db, clock }: { readonly db: Db; readonly clock: Clock }): Promise<number> {
  const now = clock.now();
  const rows = await db
    .selectFrom('notify_receivers as r')
    .select(['r.id', 'r.settings', 'r.digest_at'])
    .where((where) =>
      where.exists(
        where
          .selectFrom('notify_messages as m')
          .select('m.id')
          .whereRef('m.receiver_id', '=', 'r.id')
          .where('m.state', '=', 'held'),
      ),
    )
    .execute();
  let made = 0;
  for (const { id, settings, digest_at } of rows) {
    const { digest } = receiverSettings.parse(JSON.parse(settings));
    if (digest === undefined) continue;
    if (digest_at === null) await setNext(db, id, null, nextDigest(digest, now));
    else if (digest_at <= now)
      made += await makeDigest(db, id, { digestAt: digest_at, next: nextDigest(digest, now), now });
  }
  return made;
}

/** False when another replica was first. */
async function setNext(db: Db | Tx, id: string, before: number | null, next: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('notify_receivers')
    .set({ digest_at: next })
    .where('id', '=', id)
    .where('digest_at', before === null ? 'is' : '=', before)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

async function makeDigest(
  db: Db,
  receiverId: string,
  { digestAt, next, now }: { readonly digestAt: number; readonly next: number; readonly now: number },
): Promise<number> {
  return db.transaction().execute(async (tx) => {
    if (!(await setNext(tx, receiverId, digestAt, next))) return 0;
    const held = await tx
      .selectFrom('notify_messages')
      .selectAll()
      .where('receiver_id', '=', receiverId)
      .where('state', '=', 'held')
      .orderBy('id')
      .execute();
    const [first] = held;
    if (!first) return 0;
    await tx
      .insertInto('notify_messages')
      .values({
        ...freshMessage(receiverId, now),
        uid: `dig_${receiverId}_${digestAt}`,
        type: 'DIGEST',
        subject: 'digest',
        project: null,
        data: JSON.stringify(digestOf(held, now)),
        at: now,
        batch_id: null,
      })
      .execute();
    for (const part of batches(held))
      await tx
        .updateTable('notify_messages')
        .set({ state: 'delivered', settled_at: now })
        .where(
          'id',
          'in',
          part.map(({ id }) => id),
        )
        .execute();
    return 1;
  });
}

function digestOf(held: readonly Row<'notify_messages'>[], now: number): DigestData {
  const byType: Record<string, number> = {};
  for (const { type } of held) byType[type] = (byType[type] ?? 0) + 1;
  return {
    from: toRfc3339(Math.min(...held.map(({ at }) => at))),
    to: toRfc3339(now),
    total: held.length,
    byType,
    lines: held.slice(0, MOST_LINES).map((row) => `${row.type}: ${lineOf(storedMessage(row))}`),
  };
}
