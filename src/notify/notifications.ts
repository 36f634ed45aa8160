import { actorOf, nameOf, type Principal } from '../auth/principal.ts';
import type { Db } from '../db/database.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { sendTest } from './deliver.ts';
import { createMessageList, type MessageList } from './message-list.ts';
import type { Outcome } from './outcome.ts';
import { toReceiver } from './receiver.ts';
import { type ReceiverHome, receiverRow, targetOf } from './receiver-row.ts';
import { createReceiverStore, type ReceiverStore } from './receiver-store.ts';
import type { SendDeps } from './send.ts';

export interface NotificationsDeps extends SendDeps {
  readonly db: Db;
  readonly ledger: Ledger;
}

/** Who is told, what they were told, and trying whether it works. */
export interface Notifications {
  readonly receivers: ReceiverStore;
  readonly messages: MessageList;
  /** Sends a message now and says what became of it. Throws `NotifyError('receiver_unknown')`. */
  test(by: Principal, home: ReceiverHome, name: string): Promise<Outcome>;
}

export function createNotifications(deps: NotificationsDeps): Notifications {
  const receivers = createReceiverStore(deps);
  return {
    receivers,
    messages: createMessageList(deps),
    async test(by, home, name) {
      const row = await receiverRow(deps.db, home, name);
      const receiver = { ...toReceiver(row, home?.name ?? null), sealed: row.target };
      const outcome = await sendTest(deps, receiver, nameOf(by));
      await deps.ledger.record({
        actor: actorOf(by),
        action: 'notify.test',
        ...targetOf(home, name),
        details: { outcome: outcome.kind },
      });
      return outcome;
    },
  };
}
