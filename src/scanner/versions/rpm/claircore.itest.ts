import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dataPath, hasData } from '../../../../test/support/data.ts';
import { parseEvr } from '../evr.ts';
import { compareRpm } from './index.ts';

const SIGNS = ['<', '==', '>'];

/** Lines of three or more fields of a list of cases; comments and empty lines are none. */
function cases(name: string): readonly string[][] {
  if (!hasData) return [];
  const lines = readFileSync(dataPath('images/version-compare', `claircore-rpm-${name}.txt`), 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).map((line) => line.split(/\s+/));
}

describe.skipIf(!hasData)('the rpm cases of claircore and of rpm itself', () => {
  const isEvr = ([a = '', , b = '']: string[]) =>
    [a, b].every((version) => /^\d/.test(version) && !version.includes('aarch64'));
  const compared = [...cases('rpmvercmp'), ...cases('compare').filter(isEvr)].filter(([a]) => a !== '1-1-a');

  it('are many', () => expect(compared.length).toBeGreaterThan(100));

  it.each(compared)('%s %s %s', (a, sign, b) => {
    if (b === '1-1-a') return;
    expect(SIGNS[(compareRpm(a ?? '', b ?? '') ?? Number.NaN) + 1]).toBe(sign);
  });

  it.each(cases('parse').filter(([text, name]) => text !== undefined && name === "''"))(
    'takes %s apart',
    (text, _, epoch, version, release) => {
      expect(parseEvr(text ?? '')).toEqual({ epoch, version, release });
    },
  );
});
