import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { deliveryDelay } from './backoff.ts';
import { newSigningSecret, signatureHeaders } from './signature.ts';

const seconds = () => Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000);

it('is verified by an independent library with each of the secrets, and with no other', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const body = JSON.stringify({ text });
      const [one, two, other] = [newSigningSecret(), newSigningSecret(), newSigningSecret()];
      const headers = { ...signatureHeaders({ uid: 'evt_1', body, seconds: seconds() }, [one, two]) };
      expect(new Webhook(one).verify(body, headers)).toEqual({ text: JSON.parse(body).text });
      expect(new Webhook(two).verify(body, headers)).toBeDefined();
      expect(() => new Webhook(other).verify(body, headers)).toThrow('No matching signature');
      expect(() => new Webhook(one).verify(`${body} `, headers)).toThrow('No matching signature');
    }),
    { numRuns: 50 },
  );
});

it('is too old after a while, so that nobody can play it back', () => {
  const secret = newSigningSecret();
  const headers = { ...signatureHeaders({ uid: 'evt_1', body: '{}', seconds: seconds() - 3600 }, [secret]) };
  expect(() => new Webhook(secret).verify('{}', headers)).toThrow('too old');
});

it('waits longer and longer between tries', () => {
  expect([1, 2, 3, 20, 1e9].map((attempts) => deliveryDelay(attempts, () => 1))).toEqual([
    5000, 10_000, 20_000, 14_400_000, 14_400_000,
  ]);
  expect(deliveryDelay(1, () => 0)).toBe(2500);
});
