import { createTransport } from 'nodemailer';

export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** Makes the Message-ID: the same for the same message. */
  readonly uid: string;
  /** Epoch ms. */
  readonly date: number;
}

export interface Mailer {
  /** Rejects when the server does not take it. */
  send(mail: Mail): Promise<void>;
  close(): void;
}

const TIMEOUT_MS = 10_000;

/**
 * Hands mails to the server of an address: `smtps://user:password@host:465`, or `smtp://…:587`, which has to speak TLS before anything
 * is sent (STARTTLS) unless the address ends with `?starttls=never`.
 */
export function createMailer({ url, from }: { readonly url: string; readonly from: string }): Mailer {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url);
  const plain = searchParams.get('starttls') === 'never';
  const secure = protocol === 'smtps:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const transport = createTransport({
    host,
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    ...(secure || plain ? { ignoreTLS: plain } : { requireTLS: true }),
    ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // Nothing of a message may name files or addresses to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = from.slice(from.lastIndexOf('@') + 1).replace(/[^A-Za-z0-9.-]/g, '');
  return {
    async send({ to, subject, text, uid, date }) {
      await transport.sendMail({
        from,
        to: [...to],
        subject,
        text,
        date: new Date(date),
        messageId: `<${uid}@${domain}>`,
        headers: { 'auto-submitted': 'auto-generated' },
      });
    },
    close: () => transport.close(),
  };
}
