import { describe, expect, it } from 'vitest';
import { messageOf } from '../../platform/errors.ts';
import { readYaml } from './read.ts';
import { writeYaml } from './write.ts';

function errorOf(text: string): string {
  try {
    readYaml('v3', text);
    return 'none';
  } catch (error) {
    return messageOf(error);
  }
}

describe('YAML as gator reads it', () => {
  it('reads scalars as go-yaml v3 does', () => {
    expect(
      readYaml('v3', 'a: yes\nb: 010\nc: 0x1f\nd: 1_000\ne: 2024-01-02\nf: ~\ng: "5"\nh: 08\ni: on\nj: !!str 5'),
    ).toEqual({
      a: 'yes',
      b: 8,
      c: 31,
      d: 1000,
      e: '2024-01-02T00:00:00Z',
      f: null,
      g: '5',
      h: 8,
      i: 'on',
      j: '5',
    });
  });

  it('reads scalars as go-yaml v2 does where gator uses that', () => {
    expect(readYaml('v2', 'a: yes\ne: 2024-01-02\n1: off\na: n')).toEqual({ a: false, e: '2024-01-02', '1': false });
  });

  it('merges, keeps odd names, and reads the first document only', () => {
    expect(readYaml('v3', 'a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\n---\n[')).toEqual({
      a: { x: 1, y: 2 },
      b: { x: 3, y: 2 },
    });
    const odd = readYaml('v3', '__proto__: {a: 1}\nconstructor: x');
    expect(Object.keys(odd as object)).toEqual(['__proto__', 'constructor']);
  });

  it('lets quoted lines stand as far left as libyaml does', () => {
    expect(readYaml('v3', 'a:\n  b: "one\n  two"\n  c: 1\n')).toEqual({ a: { b: 'one two', c: 1 } });
  });

  it.each([
    ['a: 1\na: 2', 'mapping key "a" already defined'],
    ['a: {1: x}', 'unsupported type'],
    ['a: &a [*a]', "anchor 'a' value contains itself"],
    ['a: *b', 'b'],
    ['a: .inf', 'unsupported value'],
    ['a: "\u0001"', 'control characters'],
    [`a: ${'['.repeat(100_000)}`, 'nested too deeply'],
    [`${'- '.repeat(100_000)}a`, 'nested too deeply'],
    [`a: ${'{a: '.repeat(50_000)}`, 'nested too deeply'],
  ])('refuses what go-yaml or we do not take (%#)', (text, message) => {
    expect(errorOf(text)).toContain(message);
  });

  it('stops a bomb of aliases', () => {
    const names = 'abcdefghij'.split('');
    const lines = names.map((name, at) =>
      at === 0
        ? 'a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]'
        : `${name}: &${name} [${Array(9)
            .fill(`*${names[at - 1]}`)
            .join(', ')}]`,
    );
    expect(errorOf(lines.join('\n'))).toContain('excessive aliasing');
  });
});

describe('YAML as gator writes it', () => {
  const value = {
    key10: ['yes', 'a: b', "it's", '', 'x\ny\n', ' lead', '1.5', '~', 'é', '😀'],
    key2: { empty: {}, none: [], big: 1_000_000, small: 0.00001, flag: true, nothing: null },
  };

  it('in the style of v2', () => {
    expect(writeYaml('v2', value)).toBe(
      [
        'key2:',
        '  big: 1e+06',
        '  empty: {}',
        '  flag: true',
        '  none: []',
        '  nothing: null',
        '  small: 1e-05',
        'key10:',
        '- "yes"',
        "- 'a: b'",
        "- it's",
        '- ""',
        '- |',
        '  x',
        '  y',
        "- ' lead'",
        '- "1.5"',
        '- "~"',
        '- é',
        String.raw`- "\U0001F600"`,
        '',
      ].join('\n'),
    );
  });

  it('in the style of v3, so that it reads back as it was', () => {
    expect(writeYaml('v3', value)).toContain('key10:\n    - "yes"\n');
    expect(readYaml('v3', writeYaml('v3', value))).toEqual(value);
  });
});
