import { expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { isUnchanged, rangeApplies } from './conditional.ts';

const digest = digestOf('x');

it.each([
  [undefined, false],
  ['', false],
  ['*', true],
  [`"${digest}"`, true],
  [`W/"${digest}"`, true],
  [`"a", "${digest}" , "b"`, true],
  [digest, true],
  [`"${digestOf('y')}"`, false],
])('If-None-Match: %s', (header, unchanged) => {
  expect(isUnchanged(header, digest)).toBe(unchanged);
});

it('If-Range takes the strong tag only', () => {
  expect(
    [undefined, `"${digest}"`, `W/"${digest}"`, 'Tue, 01 Jan 2030 00:00:00 GMT'].map((tag) =>
      rangeApplies(tag, digest),
    ),
  ).toEqual([true, true, false, false]);
});
