import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMailer, type Mailer } from './mailer.ts';
import { notifyWorld, START, verdictEvent } from './world.testing.ts';

let server: SMTPServer;
let mails: { readonly from: string; readonly to: readonly string[]; readonly text: string }[];
let mailer: Mailer;
beforeEach(async () => {
  mails = [];
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString('utf8'),
        });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
});
afterEach(async () => {
  mailer.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
const port = () => (server.server.address() as AddressInfo).port;

it('reaches people over a real server, with nothing in it that somebody slipped in', async () => {
  mailer = createMailer({
    url: `smtp://127.0.0.1:${port()}?starttls=never`,
    from: 'Breakwater <breakwater@example.com>',
  });
  const world = await notifyWorld('sqlite', { mailer });
  try {
    await world.notifications.receivers.add(
      { kind: 'user', id: 'lead', name: 'lead', admin: false },
      { id: 'front', name: 'front' },
      { name: 'owners', kind: 'mail', target: { to: ['ann@example.com', 'bob@example.com'] }, settings: {} },
    );
    await world.tell({
      type: 'EXCEPTION_REQUESTED',
      subject: 'exception/1',
      project: 'front',
      at: START,
      data: {
        id: '1',
        project: 'front',
        vulnerability: 'CVE-2026-1',
        reason: 'see\r\nBcc: eve@example.com\r\n\r\n<script>alert(1)</script>',
        requestedBy: 'dev\r\nX-Evil: yes',
        until: '2027-01-01T00:00:00Z',
      },
    });
    await world.tell(verdictEvent('front/app', START));
    await world.run();
    expect(mails.map(({ to }) => to)).toEqual([
      ['ann@example.com', 'bob@example.com'],
      ['ann@example.com', 'bob@example.com'],
    ]);
    const request =
      mails.find(({ text }) => text.replaceAll('=\r\n', '').includes('asks for an exception'))?.text ?? '';
    expect(request).not.toMatch(/^(?:Bcc|X-Evil):/im);
    expect(request).toMatch(/^Content-Type: text\/plain/im);
    expect(request).toMatch(/^Message-ID: <evt_/im);
    expect(request).toMatch(/^Date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000/im);
    expect(request).toMatch(/^Auto-Submitted: auto-generated/im);
  } finally {
    await world.close();
  }
});

it('hands nothing to a server that speaks no TLS, unless that was said', async () => {
  mailer = createMailer({ url: `smtp://127.0.0.1:${port()}`, from: 'breakwater@example.com' });
  await expect(
    mailer.send({ to: ['ann@example.com'], subject: 's', text: 't', uid: 'evt_1', date: START }),
  ).rejects.toThrow(/STARTTLS/i);
  expect(mails).toEqual([]);
});
