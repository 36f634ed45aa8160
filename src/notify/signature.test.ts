import { expect, it } from 'vitest';
import { deliveryDelay } from './backoff.ts';
import { newSigningSecret, signatureHeaders } from './signature.ts';

const VECTORS: readonly [
  name: string,
  message: Parameters<typeof signatureHeaders>[0] & { secret: string; signature: string },
][] = [
  [
    'plain',
    {
      secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      uid: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      seconds: 1_614_265_330,
      body: '{"test": 2432232314}',
      signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
  ],
  [
    'beyond ASCII',
    {
      secret: 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
      uid: 'evt_1',
      seconds: 1_800_000_000,
      body: '{"text":"größer – 漢字 \\u0000"}',
      signature: 'v1,JjU8a+17Rq90i9LA5f3+gFCt1VvDYP83536qt01AWXE=',
    },
  ],
];

// Signed by the Go library of the Standard Webhooks project.
it.each(VECTORS)('signs like the library of the specification: %s', (_, { secret, uid, seconds, body, signature }) => {
  expect(signatureHeaders({ uid, body, seconds }, [secret])).toEqual({
    'webhook-id': uid,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signature,
  });
});

it('carries a signature for each secret, in their order, and none without a secret', () => {
  const message = { uid: 'evt_1', body: '{}', seconds: 1_800_000_000 };
  const [one, two] = [newSigningSecret(), newSigningSecret()];
  const alone = [one, two].map((secret) => signatureHeaders(message, [secret])['webhook-signature']);
  expect(signatureHeaders(message, [one, two])['webhook-signature']).toBe(alone.join(' '));
  expect(alone[0]).not.toBe(alone[1]);
  expect(signatureHeaders(message, [])).not.toHaveProperty('webhook-signature');
});

it('waits longer and longer between tries', () => {
  expect([1, 2, 3, 20, 1e9].map((attempts) => deliveryDelay(attempts, () => 1))).toEqual([
    5000, 10_000, 20_000, 14_400_000, 14_400_000,
  ]);
  expect(deliveryDelay(1, () => 0)).toBe(2500);
});
