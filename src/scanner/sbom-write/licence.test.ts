import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileText } from './arbitrary.testing.ts';
import { readLicence } from './licence.ts';

describe('licences', () => {
  it.each([
    ['MIT', { kind: 'id', id: 'MIT' }],
    ['mit', { kind: 'id', id: 'MIT' }],
    ['(MIT)', { kind: 'id', id: 'MIT' }],
    ['GPL-2.0+', { kind: 'expression', expression: 'GPL-2.0+' }],
    ['Apache-2.0+', { kind: 'expression', expression: 'Apache-2.0+' }],
    ['(MIT OR Apache-2.0)', { kind: 'expression', expression: 'MIT OR Apache-2.0' }],
    ['MIT or apache-2.0', { kind: 'expression', expression: 'MIT OR Apache-2.0' }],
    ['(MIT OR X11) AND (0BSD)', { kind: 'expression', expression: '(MIT OR X11) AND (0BSD)' }],
    [
      'GPL-2.0-only WITH Classpath-exception-2.0 AND MIT',
      { kind: 'expression', expression: 'GPL-2.0-only WITH Classpath-exception-2.0 AND MIT' },
    ],
    ['GPL-2.0-only WITH MIT', { kind: 'name', name: 'GPL-2.0-only WITH MIT' }],
    ['GPLv2+ and MIT', { kind: 'name', name: 'GPLv2+ and MIT' }],
    ['SEE LICENSE IN x', { kind: 'name', name: 'SEE LICENSE IN x' }],
    ['MIT AND', { kind: 'name', name: 'MIT AND' }],
    ['MIT Apache-2.0', { kind: 'name', name: 'MIT Apache-2.0' }],
    ['(MIT', { kind: 'name', name: '(MIT' }],
    [')', { kind: 'name', name: ')' }],
    ['LicenseRef-x', { kind: 'name', name: 'LicenseRef-x' }],
    ['constructor', { kind: 'name', name: 'constructor' }],
    ['  ', undefined],
    [undefined, undefined],
  ])('%s', (text, licence) => {
    expect(readLicence(text)).toEqual(licence);
  });
  it('reads its own spelling as the same, and never fails', () => {
    const words = fc.array(fc.constantFrom('MIT', 'apache-2.0', 'AND', 'OR', 'WITH', '(', ')', 'LLVM-exception', 'x'));
    fc.assert(
      fc.property(
        fc.oneof(
          hostileText,
          words.map((list) => list.join(' ')),
        ),
        (text) => {
          const licence = readLicence(text);
          if (licence?.kind === 'expression') expect(readLicence(licence.expression)).toEqual(licence);
        },
      ),
    );
  });
});
