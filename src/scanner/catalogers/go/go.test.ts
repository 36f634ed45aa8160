import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fields, makeElf, makeFat, makeMachO, makePe } from '../../executables/make-executable.testing.ts';
import { openExecutable } from '../../executables/open.ts';
import { viewOf } from '../../file-view.ts';
import { readGoBuildInfo } from './build-info.ts';
import { versionOfFlags } from './linker-flags.ts';
import { packagesOfGo } from './parse-modules.ts';

const MODULES = 'path\ta/cmd\nmod\ta\tv1.0.0\th1:x=\ndep\tb\tv2.0.0\th1:y=\n';
const MARK = 'sixteen bytes...';

const varint = (value: number): Buffer =>
  Buffer.from(value < 128 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)]);
const counted = (text: string): Buffer => Buffer.concat([varint(Buffer.byteLength(text)), Buffer.from(text)]);

/** As Go writes it since 1.18. */
function inline(version: string, modules = MODULES): Buffer {
  const header = Buffer.alloc(32);
  header.write('\xff Go buildinf:', 'latin1');
  header[14] = 8;
  header[15] = 2;
  return Buffer.concat([header, counted(version), counted(modules && MARK + modules + MARK)]);
}

/** As Go wrote it before: header, two pairs of address and length, the texts. */
function byAddress(version: string, order: { readonly bits: 32 | 64; readonly bigEndian?: boolean }) {
  return (address: number): Buffer => {
    const size = order.bits / 8;
    const modules = MARK + MODULES + MARK;
    const header = Buffer.alloc(32);
    header.write('\xff Go buildinf:', 'latin1');
    header[14] = size;
    header[15] = order.bigEndian ? 1 : 0;
    fields(order, ['word', address + 32], ['word', address + 32 + 2 * size]).copy(header, 16);
    const texts = address + 32 + 4 * size;
    const pairs = fields(
      order,
      ['word', texts],
      ['word', version.length],
      ['word', texts + version.length],
      ['word', modules.length],
    );
    return Buffer.concat([header, pairs, Buffer.from(version + modules)]);
  };
}

const section = (content: Buffer | ((address: number) => Buffer), name = '.go.buildinfo') => [
  { name: '.text', content: Buffer.alloc(64), code: true },
  { name, content, writable: true },
];

function read(bytes: Buffer): readonly ReturnType<typeof readGoBuildInfo>[] {
  const view = viewOf(bytes);
  return openExecutable(view).executables.map((one) => readGoBuildInfo(view, one));
}

const PROGRAMS: readonly (readonly [string, Buffer])[] = [
  ['ELF', makeElf(section(inline('go1.22.1')))],
  ['ELF of 32 bits with addresses', makeElf(section(byAddress('go1.22.1', { bits: 32 })), { bits: 32 })],
  ['ELF with addresses', makeElf(section(byAddress('go1.22.1', { bits: 64 })))],
  [
    'ELF with addresses, big endian',
    makeElf(section(byAddress('go1.22.1', { bits: 64, bigEndian: true })), { bigEndian: true }),
  ],
  ['ELF without section headers', makeElf(section(inline('go1.22.1')), { nameless: true })],
  ['PE', makePe(section(inline('go1.22.1'), '.data'))],
  ['PE of 32 bits with addresses', makePe(section(byAddress('go1.22.1', { bits: 32 }), '.data'), { bits: 32 })],
  ['Mach-O', makeMachO(section(inline('go1.22.1'), '__go_buildinfo'))],
  ['Mach-O for several processors', makeFat([makeMachO(section(inline('go1.22.1'), '__go_buildinfo'))])],
  [
    'a section that begins with something else',
    makeElf(section(Buffer.concat([Buffer.alloc(48, 0xff), inline('go1.22.1')]))),
  ],
];

describe('readGoBuildInfo', () => {
  it.each(PROGRAMS)('reads version and modules of %s', (_what, bytes) => {
    expect(read(bytes)).toEqual([{ version: 'go1.22.1', modules: MODULES }]);
  });

  it('gives a version without modules', () => {
    expect(read(makeElf(section(inline('go1.22.1', ''))))).toEqual([{ version: 'go1.22.1', modules: '' }]);
  });

  it.each([
    ['a program without the section', makeElf(section(inline('go1.22.1'), '.other'))],
    ['a library of Windows', makePe(section(Buffer.from('hello'), '.data'))],
  ])('finds none in %s', (_what, bytes) => {
    expect(read(bytes)).toEqual([{ absent: true }]);
  });

  it.each([
    ['overwritten', makeElf(section(Buffer.alloc(256)))],
    ['without a version', makeElf(section(inline('')))],
    ['cut off', makeElf(section(inline('go1.22.1').subarray(0, 36)))],
    [
      'with a length that never ends',
      makeElf(section(Buffer.concat([inline('a').subarray(0, 32), Buffer.alloc(64, 0xff)]))),
    ],
    ['of 100 MB', makeElf(section(Buffer.concat([inline('a').subarray(0, 32), counted('go1'), varint(100_000_000)])))],
    ['with addresses of nowhere', makeElf(section(byAddress('go1', { bits: 64 })(0)))],
    [
      'with addresses of three bytes',
      makeElf(section((address) => byAddress('go1', { bits: 64 })(address).fill(3, 14, 15))),
    ],
  ])('has a problem with build information %s', (_what, bytes) => {
    expect(read(bytes)).toEqual([{ problem: expect.any(String) }]);
  });

  it.each(PROGRAMS)('survives changes of %s', (_what, original) => {
    const start = Math.max(original.indexOf(' Go buildinf:') - 1, 0);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(original.length),
        (changes, cut) => {
          const bytes = Buffer.from(original);
          for (const [at, value] of changes) if (start + at < bytes.length) bytes[start + at] = value;
          for (const info of [...read(bytes), ...read(bytes.subarray(0, cut))])
            if ('version' in info) for (const { name } of packagesOfGo(info).packages) expect(name).not.toBe('');
        },
      ),
      { numRuns: 200 },
    );
  });
});

const list = (version: string, modules: string) =>
  packagesOfGo({ version, modules }).packages.map((one) => `${one.name} ${one.version}`);

describe('packagesOfGo', () => {
  it.each([
    ['go1.22.1', '1.22.1'],
    ['go1.20', '1.20'],
    ['go1.22.1 X:loopvar', '1.22.1'],
    ['go1.22rc1', '1.22.0-rc.1'],
    ['go1.21beta2 X:a', '1.21.0-beta.2'],
    ['go1.20.12 (Red Hat 1.20.12-8.el9_4)', '1.20.12'],
    ['go1.22.1-microsoft', '1.22.1'],
    ['devel go1.27-0123abc Mon', '1.27-0123abc'],
    ['devel +0123abc Mon', 'devel'],
  ])('calls the toolchain %s stdlib %s', (version, expected) => {
    expect(list(version, '')).toEqual([`stdlib ${expected}`]);
  });

  it.each([
    ['the main module and what it needs', MODULES, ['a v1.0.0', 'b v2.0.0']],
    ['a replacement', 'dep\tb\tv2.0.0\n=>\tc\tv3.0.0\th1:x=\n', ['c v3.0.0']],
    [
      'a folder in place of a module',
      'dep\tb\tv2.0.0\n=>\t../b\t(devel)\t\ndep\tc\tv1.0.0\n=>\t/src/c\t\n',
      ['b (devel)', 'c (devel)'],
    ],
    ['no version', 'mod\ta\t(devel)\t\n', ['a (devel)']],
    ['a version of the linker', 'mod\ta\t(devel)\t\nbuild\t-ldflags="-w -X main.version=1.2.3"\n', ['a v1.2.3']],
    [
      'a version of its own and one of the linker',
      'mod\ta\tv1.0.0\t\nbuild\t-ldflags="-X main.version=v9.9.9"\n',
      ['a v1.0.0'],
    ],
    ['a checkout without releases', 'mod\ta\tv0.0.0-20260102030405-0123456789ab+dirty\t\n', ['a (devel)']],
    ['one of a later major version', 'mod\ta/v2\tv2.0.0-20260102030405-0123456789ab\t\n', ['a/v2 (devel)']],
    [
      'a checkout behind a release',
      'mod\ta\tv1.2.4-0.20260102030405-0123456789ab+dirty\t\n',
      ['a v1.2.4-0.20260102030405-0123456789ab+dirty'],
    ],
    [
      'a checkout whose version the linker knows',
      'mod\ta\tv1.2.4-0.20260102030405-0123456789ab\t\nbuild\t-ldflags="-X main.version=1.3.0"\n',
      ['a v1.3.0'],
    ],
    ['a release that was changed', 'mod\ta\tv1.2.3+dirty\t\n', ['a v1.2.3+dirty']],
    [
      'a dependency of which no release exists',
      'dep\tb\tv0.0.0-20260102030405-0123456789ab\n',
      ['b v0.0.0-20260102030405-0123456789ab'],
    ],
    ['what has no name', 'dep\t\tv1\ndep\ta b\tv1\ndep\tc\tv1\n', ['c v1']],
  ])('lists %s', (_what, modules, expected) => {
    expect(list('go1.22.1', modules)).toEqual(['stdlib 1.22.1', ...expected]);
  });

  it('says when modules are left out', () => {
    expect(packagesOfGo({ version: 'go1', modules: 'dep\t\tv1\n' }).problems).toHaveLength(1);
    const { packages, problems } = packagesOfGo({ version: 'go1.2', modules: 'dep\ta\tv1\n'.repeat(400_000) });
    expect([packages.length < 50_000, problems.length]).toEqual([true, 1]);
  });
});

describe('versionOfFlags', () => {
  it.each([
    ['"-w -X main.version=v1.0.0"', 'v1.0.0'],
    ['"-X=main.Version=1.0.0"', 'v1.0.0'],
    ['"-X \'main.buildVersion=1.0.0-rc.1+x\' -s"', 'v1.0.0-rc.1+x'],
    ['"-X \\"main.version=1.0.0\\""', 'v1.0.0'],
    ['"-X example.org/a/internal.Version=1.0.0"', 'v1.0.0'],
    ['"-X github.com/prometheus/common/version.Version=2.45.0"', 'v2.45.0'],
    ['"-X main.version=1.0.0 -X main.gitVersion=v1.0.0"', 'v1.0.0'],
    ['"-X main.version=1.0.0 -X other.org/b/version.Version=2.0.0"', 'v1.0.0'],
    ['"-X main.version=1.0.0 -X main.appVersion=2.0.0"', undefined],
    ['"-X other.org/b/internal.Version=1.0.0"', undefined],
    ['"-X main.goVersion=1.22.0"', undefined],
    ['"-X main.version=dev"', undefined],
    ['"-X main.version=1.0"', undefined],
    ['-s', undefined],
    ['', undefined],
  ])('%s: %s', (flags, expected) => {
    expect(versionOfFlags(flags, 'example.org/a')).toBe(expected);
  });

  it('takes linear time', () => {
    for (const piece of ['-X ', '-X a.', '-X a.a', '"', '-X a.version=1.0.0'])
      versionOfFlags(piece.repeat(1_000_000), 'a');
  });
});
