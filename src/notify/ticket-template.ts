import { z } from 'zod';
import { NotifyError } from './errors.ts';

/** What a template may name in double braces. */
export const TICKET_FIELDS = [
  'vulnerability',
  'repository',
  'project',
  'severity',
  'packages',
  'fixed',
  'images',
  'summary',
  'ticket',
] as const;
export type TicketField = (typeof TICKET_FIELDS)[number];
export type TicketValues = Readonly<Record<TicketField, string>>;

const LARGEST_BODY = 16_384;
const pointer = z
  .string()
  .max(256)
  .regex(/^(?:\/(?:[^~/]|~[01])*)+$/, 'a JSON pointer, like /id or /issue/key');

const call = z
  .object({
    method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']),
    /** Behind the receiver's address; `{{ticket}}` is the number it was given. */
    path: z
      .string()
      .max(1024)
      .regex(/^[\x21-\x7e]*$/, 'printable ASCII characters without spaces')
      .default(''),
    /** JSON; fields are filled in where its texts name them. */
    body: z.record(z.string(), z.unknown()).optional(),
  })
  .strict();
export type TicketCall = z.infer<typeof call>;

export const ticketTemplate = z
  .object({
    open: call,
    /** Where the reply to `open` holds the number of the ticket. */
    id: pointer,
    update: call.optional(),
    close: call,
  })
  .strict();
export type TicketTemplate = z.infer<typeof ticketTemplate>;

/** Throws `NotifyError('receiver_invalid')` for fields that do not exist, and paths that lead away from the receiver's address. */
export function checkTemplate({ open, update, close }: TicketTemplate, base: string): void {
  for (const [name, one] of Object.entries({ open, update, close })) {
    if (!one) continue;
    if (JSON.stringify(one.body ?? null).length > LARGEST_BODY)
      throw invalid(`the body of "${name}" is larger than ${LARGEST_BODY} characters`);
    for (const field of [...fieldsIn(one.path), ...fieldsIn(JSON.stringify(one.body ?? null))])
      if (!TICKET_FIELDS.some((known) => known === field))
        throw invalid(`"${name}" names {{${field.slice(0, 60)}}}; there is ${TICKET_FIELDS.join(', ')}`);
    for (const field of fieldsIn(one.path))
      if (field !== 'ticket') throw invalid(`the path of "${name}" may name {{ticket}} alone, not {{${field}}}`);
    if (name === 'open' && /\{\{\s*ticket\s*\}\}/.test(one.path + JSON.stringify(one.body ?? null)))
      throw invalid('"open" names {{ticket}}, which is known only afterwards');
    urlOf(one, base, 'x');
  }
}

/** The address of a call. It always stays on the receiver's host. */
export function urlOf({ path }: TicketCall, base: string, ticket: string): string {
  const filled = path.replace(/\{\{\s*ticket\s*\}\}/g, encodeURIComponent(ticket));
  const text = base + filled;
  const [before, after] = [new URL(base), parsed(text)];
  if (
    after?.origin !== before.origin ||
    !after.pathname.startsWith(before.pathname) ||
    !/^(?:$|[/?])/.test(filled) ||
    /(?:^|\/)\.\.?(?:\/|$)/.test(filled)
  )
    throw invalid(`the path "${path.slice(0, 80)}" leads away from ${before.origin}`);
  return after.href;
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** The body with its fields filled in. Values are put into texts of parsed JSON: nothing in them can end a text or begin another. */
export function bodyOf({ body }: TicketCall, values: TicketValues): string {
  return body === undefined ? '' : JSON.stringify(filledIn(body, values));
}

function filledIn(value: unknown, values: TicketValues): unknown {
  if (typeof value === 'string')
    return value.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, field: string) => values[field as TicketField] ?? '');
  if (Array.isArray(value)) return value.map((one) => filledIn(one, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filledIn(one, values)]));
}

function fieldsIn(text: string): string[] {
  return [...text.matchAll(/\{\{([^{}]*)\}\}/g)].map(([, field = '']) => field.trim());
}

const TICKET = /^[A-Za-z0-9][A-Za-z0-9._#-]{0,127}$/;

/** The number of a ticket in a reply; undefined when the reply has none there that can be one. */
export function ticketIn(reply: string, path: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(reply);
  } catch {
    return undefined;
  }
  for (const part of path.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  return typeof text === 'string' && TICKET.test(text) ? text : undefined;
}

function invalid(message: string): NotifyError {
  return new NotifyError('receiver_invalid', message);
}
