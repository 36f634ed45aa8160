import { describe, expect, it } from 'vitest';
import { counted } from '../platform/counted.ts';
import { oneLine } from '../platform/one-line.ts';
import { bytes, facts, printAs, table } from './output.ts';

describe('table', () => {
  it('puts columns below headings, without white space at the ends of lines', () => {
    expect(
      table(
        ['name', 'fixed'],
        [
          ['musl', '1.2'],
          ['apk-tools', '-'],
        ],
      ),
    ).toBe(['NAME       FIXED', 'musl       1.2', 'apk-tools  -'].join('\n'));
  });
  it('counts characters as people do', () => {
    expect(
      table(
        ['a', 'b'],
        [
          ['e\u0301', 'x'],
          ['ab', 'y'],
        ],
      ).split('\n')[1],
    ).toBe('e\u0301   x');
  });
  it('lets no cell break out of its line or speak to the terminal', () => {
    const lines = table(['name'], [['evil\n\u001b[2Jname\u202e']]).split('\n');
    expect(lines).toEqual(['NAME', 'evil [2Jname']);
  });
});

describe('facts', () => {
  it('leaves out what is not known', () => {
    expect(
      facts([
        ['a', '1'],
        ['long', undefined],
        ['bc', '2'],
      ]),
    ).toBe('a   1\nbc  2');
  });
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [2_900_000, '2.9 MB'],
  [5e15, '5000.0 TB'],
])('%d bytes are %s', (count, text) => expect(bytes(count)).toBe(text));

it('counts in words', () => {
  expect([counted(1, 'image'), counted(2, 'image'), counted(0, 'entry', 'entries')]).toEqual([
    '1 image',
    '2 images',
    '0 entries',
  ]);
});

it('prints JSON without computing the text', () => {
  const printed: string[] = [];
  const cli = { print: (text: string) => void printed.push(text) };
  printAs(cli, { output: 'json' }, { a: 1 }, () => {
    throw new Error('not wanted');
  });
  printAs(cli, { output: 'text' }, { a: 1 }, () => 'words');
  expect(printed).toEqual(['{\n  "a": 1\n}', 'words']);
});

it('keeps text of others on one line', () => {
  expect(oneLine('  a\r\n\tb\u0007c\u2028d ')).toBe('a b c d');
});
