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

/** Names and architectures are no part of a version; `1-1-a` has its name after the release. */
function isEvr([a = '', , b = '']: readonly string[]): boolean {
  return [a, b].every((text) => /^\d/.test(text) && !text.includes('aarch64') && text !== '1-1-a');
}

describe.skipIf(!hasData)('the rpm cases of claircore and of rpm itself', () => {
  const compared = [...cases('rpmvercmp'), ...cases('compare').filter(isEvr)];

  it('are many', () => expect(compared.length).toBeGreaterThan(100));

  it.each(compared)('%s %s %s', (a, sign, b) => {
    expect(SIGNS[(compareRpm(a ?? '', b ?? '') ?? Number.NaN) + 1]).toBe(sign);
  });

  it.each(cases('parse').filter(([, name]) => name === "''"))('takes %s apart', (text, _, epoch, version, release) => {
    expect(parseEvr(text ?? '')).toEqual({ epoch, version, release });
  });
});
