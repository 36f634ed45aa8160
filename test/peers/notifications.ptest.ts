import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSigningSecret, signatureHeaders } from '../../src/notify/signature.ts';
import { notificationDrill } from '../drills/notification-drill.ts';
import { isLeftOut } from '../support/peers.ts';
import { startWebhookCheck, type WebhookCheck } from '../support/webhook-check.ts';

describe.skipIf(isLeftOut('webhook-check'))('notifications', () => {
  let library: WebhookCheck;
  beforeAll(() => {
    library = startWebhookCheck();
  });
  afterAll(() => library?.stop());

  it('signs so that an independent library verifies it with each of the secrets, and with no other, for some minutes', async () => {
    const now = Math.floor(Date.now() / 1000);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        const body = JSON.stringify({ text });
        const [one, two, other] = [newSigningSecret(), newSigningSecret(), newSigningSecret()];
        const headers = signatureHeaders({ uid: 'evt_1', body, seconds: now }, [one, two]);
        for (const secret of [one, two]) expect(await library.verify({ secret, headers, body })).toBe('ok');
        expect(await library.verify({ secret: other, headers, body })).toContain('no matching signature');
        expect(await library.verify({ secret: one, headers, body: `${body} ` })).toContain('no matching signature');
        const old = signatureHeaders({ uid: 'evt_1', body, seconds: now - 3600 }, [one]);
        expect(await library.verify({ secret: one, headers: old, body })).toContain('too old');
      }),
      { numRuns: 200 },
    );
  });

  it('tells of every change of a verdict, however often the server is killed meanwhile', async () => {
    const report = await notificationDrill({ images: 40, changes: 300, kills: 3 }, () => undefined);
    expect(report).toMatchObject({
      kills: 3,
      lost: 0,
      invented: 0,
      unsigned: 0,
      arrived: report.changes,
      summedUp: report.changes,
    });
    expect(report.changes).toBeGreaterThanOrEqual(300);
  });
});
