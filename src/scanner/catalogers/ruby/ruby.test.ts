import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../file-view.ts';
import { rubyCataloger } from './cataloger.ts';
import { parseGemspec } from './parse-gemspec.ts';

const spec = (...lines: readonly string[]) => `Gem::Specification.new do |s|\n${lines.join('\n')}\nend\n`;

describe('rubyCataloger', () => {
  it.each([
    ['usr/lib/ruby/gems/3.2.0/specifications/rake-13.0.3.gemspec', true],
    ['usr/lib/ruby/gems/3.2.0/specifications/default/json-2.6.3.gemspec', true],
    ['specifications/a-1.gemspec', true],
    ['usr/lib/ruby/gems/3.2.0/gems/rake-13.0.3/rake.gemspec', false],
    ['usr/lib/ruby/gems/3.2.0/specifications/other/a-1.gemspec', false],
    ['myspecifications/a-1.gemspec', false],
  ])('wants %s: %s', (path, wanted) => {
    expect(rubyCataloger.wants(path)).toBe(wanted);
  });

  it('names a file that tells nothing', () => {
    const found = rubyCataloger.catalog('specifications/a.gemspec', viewOf(Buffer.from('raise "no"')));
    expect(found).toEqual({ packages: [], problems: [expect.any(String)] });
  });
});

describe('parseGemspec', () => {
  it.each([
    [
      'literals',
      spec('s.name = "rake".freeze', "s.version = '13.0.3'", 's.licenses = ["MIT".freeze, "Ruby"]'),
      'x.gemspec',
      'rake 13.0.3 MIT AND Ruby',
    ],
    ['a version object', spec('s.name = "a"', 's.version = Gem::Version.new("1.2")'), 'x.gemspec', 'a 1.2'],
    [
      'a constant',
      `module A\n  VERSION = "2.0"\nend\n${spec('s.name = "a"', 's.version = A::VERSION')}`,
      'x.gemspec',
      'a 2.0',
    ],
    ['a constant of another file', spec('s.name = "a"', 's.version = A::VERSION'), 'a-3.1.gemspec', 'a 3.1'],
    [
      'a name with a platform',
      spec('s.name = "nokogiri"', 's.version = V'),
      'nokogiri-1.13.0-x86_64-linux.gemspec',
      'nokogiri 1.13.0',
    ],
    ['its name alone', '', 'net-http-persistent-4.0.1.gemspec', 'net-http-persistent 4.0.1'],
    ['the first of two', spec('s.name = "a"', 's.name = "b"', 's.version = "1"'), 'x.gemspec', 'a 1'],
    ['code', spec('s.name = `id`', 's.version = eval("1")'), 'x.gemspec', undefined],
    ['a template', spec('s.name = "a#{1}"', 's.version = "1"'), 'x.gemspec', undefined],
    ['escapes', spec('s.name = "a\\"b"', 's.version = "1"'), 'x.gemspec', undefined],
    ['a version that is none', spec('s.name = "a"', 's.version = "one"'), 'x.gemspec', undefined],
  ])('reads %s', (_what, text, fileName, expected) => {
    const found = parseGemspec(text, fileName);
    expect(found && [found.name, found.version, found.licence].filter(Boolean).join(' ')).toBe(expected);
  });

  it('takes long and many lines in time', () => {
    const started = performance.now();
    parseGemspec(`s.name = "${'a'.repeat(9000)}\n`.repeat(500), 'x');
    parseGemspec(`s.licenses = [${'"'.repeat(9000)}\n`.repeat(500), 'x');
    parseGemspec(' '.repeat(9999).concat('\n').repeat(500), 'x');
    parseGemspec('A'.repeat(5_000_000), `${'-1'.repeat(100_000)}.gemspec`);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('never throws', () => {
    const piece = fc.constantFrom('s.name', '=', '"', "'", '\\', '#', '[', ']', '\n', ' ', 'V', '1', '.freeze', '\0');
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }),
        fc.string(),
        (pieces, name) => void parseGemspec(pieces.join(''), name),
      ),
    );
  });
});
