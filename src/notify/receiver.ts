import { z } from 'zod';
import type { Row } from '../db/schema.ts';
import { SEVERITIES, severityRank } from '../model/severity.ts';
import { addressRefusal } from '../platform/guarded-request.ts';
import { matchesGlob } from '../policy/repository-glob.ts';
import { NotifyError } from './errors.ts';
import { EVENT_TYPES, type EventType } from './event-data.ts';
import { checkTemplate, ticketTemplate } from './ticket-template.ts';

export const RECEIVER_KINDS = ['webhook', 'slack', 'mail', 'ticket'] as const;
export type ReceiverKind = (typeof RECEIVER_KINDS)[number];

const glob = z
  .string()
  .max(255)
  .regex(/^[a-z0-9._/*-]+$/, 'a glob of full names of repositories, like front/** or front/app');
/** No line break and nothing else that could begin another header. */
const headerValue = z
  .string()
  .max(2048)
  .regex(/^[\x20-\x7e]+$/, 'one line of printable ASCII characters');
const mailAddress = z.email().max(254);

export const receiverSettings = z
  .object({
    /** Of a webhook. */
    format: z.enum(['cloudevents', 'harbor']).optional(),
    /** All but these are left out. */
    events: z
      .array(z.enum(EVENT_TYPES as [EventType, ...EventType[]]))
      .min(1)
      .optional(),
    /** What concerns no repository is matched by its project. */
    repositories: z.array(glob).min(1).max(50).optional(),
    /** Events about findings below it are left out. */
    minSeverity: z.enum(SEVERITIES).optional(),
    /** Of verdicts only those that block now and did not before. */
    onlyNewBlocks: z.boolean().optional(),
    /** Each verdict by itself, also of an update that changes many. */
    each: z.boolean().optional(),
    /** All of an hour or a day in one message. */
    digest: z.enum(['hourly', 'daily']).optional(),
    /** It may be on this machine or in a private network. */
    allowPrivate: z.boolean().optional(),
    /** It may be without TLS. */
    allowHttp: z.boolean().optional(),
    ticket: ticketTemplate.optional(),
  })
  .strict();
export type ReceiverSettings = z.infer<typeof receiverSettings>;

export const receiverTarget = z
  .object({
    url: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .optional(),
    /** Sent as it is in the header `authorization`. */
    authorization: headerValue.optional(),
    to: z.array(mailAddress).min(1).max(50).optional(),
  })
  .strict();
export type ReceiverTarget = z.infer<typeof receiverTarget>;

export interface NewReceiver {
  readonly name: string;
  readonly kind: ReceiverKind;
  readonly target: ReceiverTarget;
  readonly settings: ReceiverSettings;
}

const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** Throws `NotifyError('receiver_invalid')` that says what does not fit together. */
export function checkReceiver({ name, kind, target, settings }: NewReceiver): void {
  if (!NAME.test(name) || name.length > 64)
    throw invalid(
      `"${name.slice(0, 80)}" is no name: lower-case letters and digits with single . _ - between them, at most 64`,
    );
  if (kind === 'mail') {
    if (!target.to) throw invalid('a mail receiver needs addresses: give --mail');
    if (target.url !== undefined || target.authorization !== undefined) throw invalid('a mail receiver has no URL');
  } else checkAddress(kind, target, settings);
  if ((kind === 'ticket') !== (settings.ticket !== undefined))
    throw invalid('a ticket receiver, and no other, needs a template: give --ticket and --template');
  if (settings.format !== undefined && kind !== 'webhook') throw invalid('only webhooks have a format');
  if (settings.digest !== undefined && kind !== 'mail' && kind !== 'slack')
    throw invalid('only mail and Slack receivers have digests: programs read each event');
  if (settings.digest !== undefined && settings.each)
    throw invalid('a digest holds many events; it cannot hold each by itself');
  if (kind === 'ticket' && settings.events !== undefined)
    throw invalid('tickets follow verdicts; they have no events to choose from');
  if (settings.ticket && target.url !== undefined) checkTemplate(settings.ticket, target.url);
}

function checkAddress(kind: ReceiverKind, target: ReceiverTarget, settings: ReceiverSettings): void {
  if (target.url === undefined) throw invalid(`a ${kind} receiver needs an address: https://…`);
  if (target.to) throw invalid('only mail receivers have mail addresses');
  const url = new URL(target.url);
  if (url.username !== '' || url.password !== '')
    throw invalid(
      'the address holds a user or a password; give them with --authorization-file, which is encrypted at rest',
    );
  if (url.hash !== '') throw invalid('the address holds a fragment (#…), which is never sent');
  if (url.protocol !== 'https:' && !settings.allowHttp)
    throw invalid(`${url.protocol}//${url.host} is not https; an administrator allows that with --allow-http`);
  const refusal = addressRefusal(url.hostname, settings.allowPrivate ?? false);
  if (refusal !== undefined) throw invalid(refusal);
}

/** The address as it may be shown: what is behind the host of many webhooks is their secret. */
export function shownTarget({ url, to }: ReceiverTarget): string {
  if (to) return to.join(', ');
  const { origin, pathname } = new URL(url ?? '');
  return pathname === '/' ? origin : `${origin}/…`;
}

/** A receiver as deliveries need it. */
export interface Receiver {
  readonly id: string;
  readonly name: string;
  readonly kind: ReceiverKind;
  /** Name; absent: of the installation. */
  readonly project?: string;
  readonly settings: ReceiverSettings;
}

export function toReceiver(
  row: Pick<Row<'notify_receivers'>, 'id' | 'name' | 'kind' | 'settings'>,
  project: string | null,
): Receiver {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind as ReceiverKind,
    ...(project === null ? {} : { project }),
    settings: receiverSettings.parse(JSON.parse(row.settings)),
  };
}

/** What a filter needs to know of an event. */
export interface Filtered {
  readonly type: string;
  readonly project: string | null;
  readonly repository: string | null;
  readonly severity: string | null;
  /** Images that it blocks and that were not blocked before. */
  readonly blocked: number;
}

/** True when the receiver wants to know of the event. */
export function isFor({ project, kind, settings }: Receiver, event: Filtered): boolean {
  if (project !== undefined && event.project !== project) return false;
  if (kind === 'ticket' && event.type !== 'VERDICT_CHANGED') return false;
  const { events, repositories, minSeverity, onlyNewBlocks } = settings;
  if (events && !events.some((type) => type === event.type)) return false;
  if (repositories && !repositories.some((pattern) => concerns(pattern, event))) return false;
  // Tickets are closed by what makes things better.
  if (minSeverity && kind !== 'ticket' && event.severity !== null && rankOf(event.severity) < severityRank(minSeverity))
    return false;
  return !(onlyNewBlocks && event.type === 'VERDICT_CHANGED') || event.blocked > 0;
}

function concerns(pattern: string, { repository, project }: Filtered): boolean {
  if (repository !== null) return matchesGlob(pattern, repository);
  return project === null || matchesGlob(pattern.split('/', 1)[0] ?? '', project);
}

function rankOf(severity: string): number {
  return SEVERITIES.findIndex((one) => one === severity);
}

function invalid(message: string): NotifyError {
  return new NotifyError('receiver_invalid', message);
}
