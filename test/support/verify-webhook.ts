import { createHmac } from 'node:crypto';

const TOLERANCE_SECONDS = 300;

export interface SignedMessage {
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As it came. */
  readonly body: string;
}

/** What a receiver does by the Standard Webhooks specification; gives the parsed body, throws when the message is not to be trusted. */
export function verifyWebhook({ secret, headers, body }: SignedMessage): unknown {
  const seconds = Number(headers['webhook-timestamp']);
  if (!(Math.abs(Date.now() / 1000 - seconds) <= TOLERANCE_SECONDS)) throw new Error('too old or too new');
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signed = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.');
  const expected = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  if (!headers['webhook-signature']?.split(' ').includes(expected)) throw new Error('No matching signature');
  return JSON.parse(body);
}
