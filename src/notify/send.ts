import type { SecretBox } from '../auth/secret-box.ts';
import type { Db } from '../db/database.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { GuardedClient } from '../platform/guarded-request.ts';
import { CLOUDEVENTS_TYPE, cloudEvent } from './formats/cloudevents.ts';
import { harborBody } from './formats/harbor.ts';
import { mailOf } from './formats/mail.ts';
import { slackBody } from './formats/slack.ts';
import type { Mailer } from './mailer.ts';
import type { Message } from './message.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { Receiver, ReceiverTarget } from './receiver.ts';
import { openedTarget, signingSecrets } from './sealed.ts';
import { signatureHeaders } from './signature.ts';
import type { Content, SignedCall } from './signed-call.ts';
import { bringTicketsUpToDate, type TicketFacts } from './tickets.ts';

export interface SendDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly box: SecretBox;
  /** For receivers that may, and may not, be in a private network. */
  readonly clients: { readonly open: GuardedClient; readonly closed: GuardedClient };
  /** Absent where no mail server is configured. */
  readonly mailer?: Mailer | undefined;
  readonly tickets: TicketFacts;
  /** Names this installation: the `source` of events. */
  readonly source: string;
  /** Host and port in addresses of images. */
  readonly host: string;
}

/** A receiver with where it is, still encrypted. */
export type Addressed = Receiver & { readonly sealed: string };

/** The same ready to be sent to: its secrets are in memory, for one page of messages. */
export type Opened = Receiver & { readonly target: ReceiverTarget; readonly secrets: readonly string[] };

/** Throws when the key is not the one that its secrets were encrypted with. */
export async function opened({ db, box, clock }: SendDeps, { sealed, ...receiver }: Addressed): Promise<Opened> {
  return {
    ...receiver,
    target: openedTarget(box, receiver.id, sealed),
    secrets: await signingSecrets({ db, box }, receiver.id, clock.now()),
  };
}

/** Sends one message; what goes wrong is in the outcome, without secrets. */
export async function send(deps: SendDeps, receiver: Opened, message: Message): Promise<Outcome> {
  const { kind, target } = receiver;
  try {
    if (kind === 'mail') return await sendMail(deps, target, message);
    const call = caller(deps, receiver);
    const url = target.url ?? '';
    if (kind === 'ticket' && message.type === 'TICKETS')
      return await bringTicketsUpToDate(deps, { receiver, url, call, repository: message.data.repository });
    return outcomeOf(await call({ uid: message.uid, method: 'POST', url, ...contentOf(deps, receiver, message) }));
  } catch (error) {
    return { kind: 'failed', error: messageOf(error) };
  }
}

function caller({ clock, clients }: SendDeps, { settings, target, secrets }: Opened): SignedCall {
  const client = settings.allowPrivate ? clients.open : clients.closed;
  const { authorization } = target;
  return ({ uid, method, url, type, body }) =>
    client.send({
      url,
      method,
      body,
      headers: {
        'content-type': type,
        ...signatureHeaders({ uid, body, seconds: Math.floor(clock.now() / 1000) }, secrets),
        ...(authorization === undefined ? {} : { authorization }),
      },
    });
}

function contentOf({ source, host }: SendDeps, { kind, settings }: Receiver, message: Message): Content {
  if (kind === 'slack') return { type: 'application/json', body: slackBody(message) };
  if (settings.format === 'harbor') return { type: 'application/json', body: harborBody(message, host) };
  return { type: CLOUDEVENTS_TYPE, body: cloudEvent(message, source) };
}

async function sendMail(
  { mailer, source, clock }: SendDeps,
  { to }: ReceiverTarget,
  message: Message,
): Promise<Outcome> {
  if (!mailer)
    return { kind: 'failed', error: 'no mail server is configured; set BREAKWATER_SMTP_URL and BREAKWATER_MAIL_FROM' };
  await mailer.send({ to: to ?? [], uid: message.uid, date: clock.now(), ...mailOf(message, source) });
  return { kind: 'delivered' };
}
