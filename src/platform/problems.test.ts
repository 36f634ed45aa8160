import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nearestName } from './nearest-name.ts';
import { sayProblems, unknownName } from './problems.ts';
import { schemaProblems } from './schema-problems.ts';

const call = z.object({ method: z.string() }).strict();
const schema = z
  .object({
    open: call.optional(),
    calls: z.array(call).default([]),
    byName: z.record(z.string(), call.nullable()).optional(),
    either: z.union([z.string(), z.object({ severity: z.string() }).strict()]).optional(),
  })
  .strict();
const said = (value: unknown, place?: string) => {
  const { error } = schema.safeParse(value);
  return error && schemaProblems(schema, error, place);
};

describe('what is said of input that cannot be', () => {
  it.each([
    [{ opne: 1 }, 'body: unknown field "opne"; did you mean "open"?'],
    [{ open: { method: 'a', methd: 1 } }, 'open: unknown field "methd"; did you mean "method"?'],
    [{ calls: [{ method: 'a', methd: 1 }] }, 'calls.0: unknown field "methd"; did you mean "method"?'],
    [{ byName: { x: { method: 'a', methd: 1 } } }, 'byName.x: unknown field "methd"; did you mean "method"?'],
    [{ farAway: 1 }, 'body: unknown field "farAway"'],
  ])('names the field that was probably meant: %j', (value, words) => expect(said(value, 'body')).toBe(words));

  it('leaves out the place where the whole has no name', () =>
    expect(said({ opne: 1 })).toBe('unknown field "opne"; did you mean "open"?'));

  it('names the first ten and counts the others, asking for the words of the first only', () => {
    let asked = 0;
    const words = sayProblems(
      Array.from({ length: 1000 }, (_, at) => at),
      (at) => {
        asked += 1;
        return `${at}`.padEnd(2000, 'x');
      },
    );
    expect([asked, words.endsWith('; and 990 more'), words.length < 5100]).toEqual([10, true, true]);
  });

  it('looks for nothing like a name that is none, and cuts it', () => {
    expect(nearestName('block'.padEnd(64, 'k'), ['block'.padEnd(63, 'k')])).toBe('block'.padEnd(63, 'k'));
    expect(nearestName('block'.padEnd(65, 'k'), ['block'.padEnd(64, 'k')])).toBeUndefined();
    expect(unknownName('x'.repeat(900_000), ['x'])).toBe(`unknown field "${'x'.repeat(100)}…"`);
  });
});
