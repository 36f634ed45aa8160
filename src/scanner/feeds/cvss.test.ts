import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseScore, severityOfScore, severityOfWord } from './cvss.ts';

describe('CVSS base scores', () => {
  it.each([
    // Examples of the CVSS v3.1 examples document.
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
    ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4],
    ['CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
    ['CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
    ['CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L', 4.2],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
    ['CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U', 6.8],
    // Examples of the CVSS v2 guide, §3.3.
    ['AV:N/AC:L/Au:N/C:N/I:N/A:C', 7.8],
    ['AV:N/AC:L/Au:N/C:C/I:C/A:C', 10],
    ['(AV:L/AC:H/Au:N/C:C/I:C/A:C)', 6.2],
  ])('%s is %d', (vector, score) => expect(baseScore(vector)).toBe(score));

  it.each([
    '',
    'CVSS:4.0/AV:N/AC:L',
    'CVSS:3.1/AV:N',
    'CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
    'AV:N',
    'CVSS:3.1/constructor:toString',
  ])('knows no score of %j', (vector) => expect(baseScore(vector)).toBeUndefined());

  it('takes any text', () => fc.assert(fc.property(fc.string(), (text) => baseScore(text) === undefined)));

  it('bands scores', () =>
    expect([0, 0.1, 3.9, 4, 6.9, 7, 8.9, 9, 10].map(severityOfScore)).toEqual([
      'none',
      'low',
      'low',
      'medium',
      'medium',
      'high',
      'high',
      'critical',
      'critical',
    ]));

  it('knows the words of publishers', () => {
    expect(['MODERATE', 'Important', 'unimportant', ' high '].map(severityOfWord)).toEqual([
      'medium',
      'high',
      'negligible',
      'high',
    ]);
    expect(severityOfWord('toString')).toBeUndefined();
  });
});
