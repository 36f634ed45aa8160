import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';
const SECRET_BYTES = 32;

/** A new secret as the Standard Webhooks specification writes it. */
export function newSigningSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/**
 * Headers of a signed message (Standard Webhooks): one signature for each secret that counts, so that receivers may take up a new one
 * while the old one still holds. `seconds` since the epoch is the time of this try, against replays.
 */
export function signatureHeaders(
  { uid, body, seconds }: { readonly uid: string; readonly body: string; readonly seconds: number },
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${uid}.${seconds}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': uid,
    'webhook-timestamp': String(seconds),
    ...(signatures.length > 0 ? { 'webhook-signature': signatures.join(' ') } : {}),
  };
}
