import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  checkTemplate,
  TICKET_FIELDS,
  type TicketValues,
  ticketIn,
  ticketTemplate,
  urlOf,
} from './ticket-template.ts';

const BASE = 'https://jira.example.com/rest/api/2';
const template = (changes: object = {}) =>
  ticketTemplate.parse({
    open: { method: 'POST', path: '/issue', body: { summary: '{{vulnerability}}' } },
    id: '/key',
    close: { method: 'POST', path: '/issue/{{ticket}}/close' },
    ...changes,
  });

describe('templates of tickets', () => {
  it('are taken when they name what there is', () => expect(() => checkTemplate(template(), BASE)).not.toThrow());

  it.each([
    [{ open: { method: 'POST', path: '/x', body: { a: '{{cve}}' } } }, '{{cve}}; there is vulnerability'],
    [{ open: { method: 'POST', path: '/x', body: { a: '{{ticket}}' } } }, 'known only afterwards'],
    [{ close: { method: 'POST', path: '/{{repository}}' } }, '{{ticket}} alone'],
    [{ close: { method: 'POST', path: '@evil.example.com/x' } }, 'leads away'],
    [{ close: { method: 'POST', path: '.evil.example.com/x' } }, 'leads away'],
    [{ close: { method: 'POST', path: '/../../admin' } }, 'leads away'],
  ])('%j is refused', (changes, problem) => expect(() => checkTemplate(template(changes), BASE)).toThrow(problem));

  it('have no code, no other method and no other fields', () => {
    for (const changes of [{ open: { method: 'GET', path: '/x' } }, { script: 'x' }, { id: 'key' }, { id: '' }])
      expect(() => template(changes)).toThrow();
  });

  it('stay on their host, whatever the ticket is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (ticket) => {
        let href: string;
        try {
          href = urlOf(template().close, BASE, ticket.toWellFormed());
        } catch {
          return;
        }
        expect(href.startsWith(`${BASE}/issue/`)).toBe(true);
        expect(href.endsWith('/close')).toBe(true);
      }),
    );
  });

  it('are JSON of the same shape, whatever the values are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const values = Object.fromEntries(TICKET_FIELDS.map((field) => [field, text])) as TicketValues;
        const call = { ...template().open, body: { a: ['x {{ summary }} y', { b: '{{severity}}' }], c: 1 } };
        expect(JSON.parse(bodyOf(call, values))).toEqual({ a: [`x ${text} y`, { b: text }], c: 1 });
      }),
    );
  });
});

describe('numbers of tickets', () => {
  it.each([
    ['{"key":"SEC-1"}', '/key', 'SEC-1'],
    ['{"a":{"b/c":[{"id":7}]}}', '/a/b~1c/0/id', '7'],
    ['{"key":""}', '/key', undefined],
    ['{"key":"../x"}', '/key', undefined],
    ['{"key":"a/b"}', '/key', undefined],
    ['{"key":"a\\r\\nb"}', '/key', undefined],
    ['{"key":{}}', '/key', undefined],
    ['{}', '/constructor/name', undefined],
    ['not JSON', '/key', undefined],
    ['', '/key', undefined],
  ])('of %j at %s is %j', (reply, path, ticket) => expect(ticketIn(reply, path)).toBe(ticket));

  it('are text that can be a part of a path, or nothing', () => {
    fc.assert(
      fc.property(fc.json(), (reply) => {
        const ticket = ticketIn(reply, '/key');
        if (ticket !== undefined) expect(ticket).toMatch(/^[A-Za-z0-9][A-Za-z0-9._#-]*$/);
      }),
    );
  });
});
