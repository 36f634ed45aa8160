import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PublishedStatement } from '../feeds/advisory.ts';
import { decodeBody, decodeStatement, encodeBody, encodeStatement } from './codec.ts';

const text = fc.string({ maxLength: 8 });
const filled = fc.string({ minLength: 1, maxLength: 8 });
const statement: fc.Arbitrary<PublishedStatement> = fc.record(
  {
    advisory: text,
    vulnerabilities: fc.array(fc.array(text, { minLength: 1, maxLength: 2 }), { maxLength: 3 }),
    feed: text,
    ranges: fc.array(
      fc.record({ introduced: text, fixed: text, lastAffected: text }, { requiredKeys: [], noNullPrototype: true }),
      { maxLength: 2 },
    ),
    versions: fc.array(text, { maxLength: 2 }),
    severities: fc.array(fc.constant({ source: 'nvd', severity: 'high' } as const), { maxLength: 1 }),
    never: fc.constant(true),
    status: fc.constantFrom('end_of_life', 'will_not_fix'),
    published: filled,
    binaries: fc.array(text, { maxLength: 2 }),
    module: filled,
    arches: fc.array(text, { maxLength: 2 }),
    subscription: fc.constant(true),
    malicious: fc.constant(true),
  },
  { requiredKeys: ['advisory', 'vulnerabilities', 'feed', 'ranges', 'versions', 'severities'], noNullPrototype: true },
);

describe('the encoding of statements', () => {
  it('keeps every field', () =>
    fc.assert(
      fc.property(statement, (given) => {
        const lists = new Map<string, readonly string[]>();
        const share = (names: readonly string[]) => {
          const name = String(lists.size);
          lists.set(name, names);
          return name;
        };
        const text = encodeStatement(given, share);
        expect(decodeStatement(text, (name) => lists.get(name) ?? [])).toEqual(given);
      }),
    ));

  it('gives one statement per vulnerability, lists shared', () =>
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 5 }), (given) => {
        expect(decodeBody(encodeBody(given))).toEqual(
          given.flatMap(({ vulnerabilities, ...rest }) => vulnerabilities.map((ids) => ({ ...rest, ids }))),
        );
      }),
    ));

  it('writes a list once however many statements name it', () => {
    const one = { advisory: 'A', vulnerabilities: [['B']], feed: 'f', ranges: [{}], versions: [], severities: [] };
    const body = encodeBody(Array.from({ length: 50 }, () => ({ ...one, binaries: ['libssl3', 'openssl'] })));
    expect(body.split('libssl3')).toHaveLength(2);
  });
});
