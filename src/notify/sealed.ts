import type { SecretBox } from '../auth/secret-box.ts';
import type { Db } from '../db/database.ts';
import { type ReceiverTarget, receiverTarget } from './receiver.ts';

/** Where a receiver is, encrypted: the addresses of many webhooks are secrets. */
export function sealedTarget(box: SecretBox, receiverId: string, target: ReceiverTarget): string {
  return box.seal(JSON.stringify(target), `notify-target/${receiverId}`);
}

export function openedTarget(box: SecretBox, receiverId: string, sealed: string): ReceiverTarget {
  return receiverTarget.parse(JSON.parse(box.open(sealed, `notify-target/${receiverId}`)));
}

export function sealedSecret(box: SecretBox, receiverId: string, secret: string): string {
  return box.seal(secret, `notify-secret/${receiverId}`);
}

/** The secrets that sign at a moment (epoch ms), the newest first. */
export async function signingSecrets(
  { db, box }: { readonly db: Db; readonly box: SecretBox },
  receiverId: string,
  now: number,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('notify_secrets')
    .select('sealed')
    .where('receiver_id', '=', receiverId)
    .where((where) => where.or([where('ends_at', 'is', null), where('ends_at', '>', now)]))
    .orderBy('created_at', 'desc')
    .execute();
  return rows.map(({ sealed }) => box.open(sealed, `notify-secret/${receiverId}`));
}
