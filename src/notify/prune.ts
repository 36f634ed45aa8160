import type { Db } from '../db/database.ts';
import type { Clock } from '../platform/clock.ts';

const DAY_MS = 86_400_000;
/** What arrived can be looked at and sent again for a week, what was given up for a month. */
const DELIVERED_MS = 7 * DAY_MS;
const DEAD_MS = 30 * DAY_MS;

/** Forgets what was told long ago, and what belongs to receivers of projects that are gone. */
export async function pruneNotifications({ db, clock }: { readonly db: Db; readonly clock: Clock }): Promise<void> {
  const now = clock.now();
  for (const [state, age] of [
    ['delivered', DELIVERED_MS],
    ['dead', DEAD_MS],
  ] as const)
    await db
      .deleteFrom('notify_messages')
      .where('settled_at', '<', now - age)
      .where('state', '=', state)
      .execute();
  await db
    .deleteFrom('outbox')
    .where('dispatched_at', '<', now - DEAD_MS)
    .execute();
  await db
    .deleteFrom('outbox')
    .where('dispatched_at', '<', now - DELIVERED_MS)
    .where('batch_id', 'is', null)
    .execute();
  await db
    .deleteFrom('notify_batches')
    .where('closed_at', '<', now - DEAD_MS)
    .execute();
  await db.deleteFrom('notify_once').where('until', '<', now).execute();
  const orphans = db
    .selectFrom('notify_receivers')
    .select('id')
    .where('project_id', '!=', '')
    .where('project_id', 'not in', db.selectFrom('projects').select('id'));
  for (const table of ['notify_secrets', 'notify_messages', 'notify_tickets'] as const)
    await db.deleteFrom(table).where('receiver_id', 'in', orphans).execute();
  await db.deleteFrom('notify_receivers').where('id', 'in', orphans).execute();
}
