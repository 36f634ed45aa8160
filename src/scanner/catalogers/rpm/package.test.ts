import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../file-view.ts';
import { rpmCataloger } from './cataloger.ts';
import { parseHeader } from './header.ts';
import { packageOf } from './package.ts';
import { type HeaderFields, makeHeader } from './rpm.testing.ts';
import { sourceOf } from './source-rpm.ts';
import { isThirdParty } from './third-party.ts';

const bash = { 1000: 'bash', 1001: '5.1.8', 1002: '9.el9', 1011: 'Red Hat, Inc.', 1022: 'x86_64' };

const catalog = (path: string, text: string) => rpmCataloger.catalog(path, viewOf(Buffer.from(text)));

/** A line of the list that images without rpm have. */
const line = (name: string, version: string, vendor: string, epoch: string, source: string) =>
  `${name}\t${version}\t1653816591\t1653753130\t${vendor}\t${epoch === '0' ? '(none)' : epoch}\t580\tx86_64\t${epoch}\t${source}\n`;

function stated(fields: HeaderFields) {
  const header = parseHeader(makeHeader(fields));
  return typeof header === 'string' ? header : packageOf(header, 100);
}

describe('packageOf', () => {
  it.each<[string, HeaderFields, object]>([
    ['a package', bash, { type: 'rpm', name: 'bash', version: '5.1.8-9.el9', arch: 'x86_64' }],
    ['an epoch', { ...bash, 1003: [2] }, { version: '2:5.1.8-9.el9' }],
    ['an epoch of zero', { ...bash, 1003: [0] }, { version: '5.1.8-9.el9' }],
    [
      'a source of another name',
      { ...bash, 1003: [1], 1044: 'a-b-3.0-4.el9.src.rpm' },
      { source: { name: 'a-b', version: '1:3.0-4.el9' } },
    ],
    ['its licence', { ...bash, 1014: 'GPLv3+' }, { licence: 'GPLv3+' }],
    ['its module stream', { ...bash, 5096: 'nodejs:12:8020020200326104117:cdc202be' }, { module: 'nodejs:12' }],
    ['another maker', { ...bash, 1011: 'Docker' }, { thirdParty: true }],
    ['a later value of a field, which replaces the first', { ...bash, 1004: 'x' }, { name: 'bash' }],
  ])('takes %s', (_what, fields, expected) => {
    expect(stated(fields)).toMatchObject({ pkg: expected, owned: [] });
  });

  it('leaves out what is the same or not known', () => {
    expect(stated({ ...bash, 1044: 'bash-5.1.8-9.el9.src.rpm', 1014: '', 5096: 'nodejs' })).toEqual({
      pkg: { type: 'rpm', name: 'bash', version: '5.1.8-9.el9', arch: 'x86_64' },
      owned: [],
      files: 0,
    });
  });

  it('lists keys as rpm does, and nobody as their maker', () => {
    expect(stated({ 1000: 'gpg-pubkey', 1001: 'fd431d51', 1002: '4ae0493b' })).toEqual({
      pkg: { type: 'rpm', name: 'gpg-pubkey', version: 'fd431d51-4ae0493b' },
      owned: [],
      files: 0,
    });
  });

  it.each<[HeaderFields, string]>([
    [{ ...bash, 1000: '' }, 'a package without name'],
    [{ ...bash, 1000: 'a b' }, 'a package without name'],
    [{ ...bash, 1001: '' }, 'package bash has no version'],
    [{ ...bash, 1002: [7] }, 'package bash has no version'],
  ])('says what is missing: %o', (fields, problem) => {
    expect(stated(fields)).toBe(problem);
  });

  const files = {
    1116: [0, 1, 1, 9],
    1117: ['package.json', 'npm.html', 'package.json', 'package.json'],
    1118: ['/usr/lib/node_modules/npm/', '/usr/lib/node_modules/npm/node_modules/@a/b/'],
  };

  it('knows the language packages that it owns, by names and numbers of folders', () => {
    expect(stated({ ...bash, ...files })).toMatchObject({
      owned: ['usr/lib/node_modules/npm/package.json', 'usr/lib/node_modules/npm/node_modules/@a/b/package.json'],
    });
  });

  it('knows them by whole paths in very old packages', () => {
    expect(stated({ ...bash, 1027: ['/usr/share/npm.html', '/a/node_modules/b/package.json'] })).toMatchObject({
      owned: ['a/node_modules/b/package.json'],
    });
  });

  it('looks at so many files only, and at none with a longer path than there are', () => {
    const header = parseHeader(makeHeader({ ...bash, ...files }));
    if (typeof header === 'string') throw new Error(header);
    expect(packageOf(header, 1)).toMatchObject({ owned: ['usr/lib/node_modules/npm/package.json'], files: 1 });
    expect(packageOf(header, 0)).toMatchObject({ owned: [], files: 0 });
    const deep = { 1116: [0], 1117: ['package.json'], 1118: [`/${'a/'.repeat(2100)}node_modules/b/`] };
    expect(stated({ ...bash, ...deep })).toMatchObject({ owned: [], files: 0 });
  });

  it('lets those of another maker be found', () => {
    expect(stated({ ...bash, ...files, 1011: 'NodeSource' })).toMatchObject({ owned: [] });
  });
});

describe('parseHeader', () => {
  const intact = makeHeader({ ...bash, 1118: ['/a/', '/b/'], 1116: [0, 1] });
  const withWord = (at: number, value: number) => {
    const copy = Buffer.from(intact);
    copy.writeUInt32BE(value, at);
    return copy;
  };
  it.each<[string, Buffer, string | RegExp]>([
    ['nothing', Buffer.alloc(0), /shorter than the start/],
    ['no entries', withWord(0, 0), /cannot have 0 entries/],
    ['four thousand million entries', withWord(0, 0xffffffff), /cannot have 4294967295 entries/],
    ['more data than there is', withWord(4, 0xffffffff), /its header needs \d+ bytes/],
    ['more entries than there is room', withWord(0, 60_000), /its header needs \d+ bytes/],
  ])('refuses %s', (_what, blob, problem) => {
    expect(parseHeader(blob)).toMatch(problem);
  });

  it('takes no more of a text than is sensible, and nothing without its end', () => {
    const header = parseHeader(makeHeader({ 1014: 'x'.repeat(100_000) }));
    expect(typeof header === 'string' ? header : header.text(1014)?.length).toBe(4096);
    const endless = makeHeader({ 1014: 'x'.repeat(100) });
    endless[endless.length - 1] = 0x78;
    const open = parseHeader(endless);
    expect(typeof open === 'string' ? open : [open.text(1014), open.texts(1014)]).toEqual([undefined, []]);
  });

  it('gives a million texts at most', () => {
    const many = makeHeader({ 1117: ['a', 'b'] });
    many.writeUInt32BE(0x7fffffff, 8 + 12);
    many.writeUInt32BE(1_500_000 + 4, 4);
    const header = parseHeader(Buffer.concat([many, Buffer.alloc(1_500_000)]));
    expect(typeof header === 'string' ? header : header.texts(1117).length).toBe(1_000_000);
  });

  it.each([0, 0x7fffffff, 0xffffffff])('takes a field with offset or count %d for empty or short', (value) => {
    for (const at of [16, 20]) {
      const header = parseHeader(withWord(at, value));
      expect(typeof header === 'string' ? header : header.texts(1000).length).toBeLessThan(20);
    }
  });

  it('survives damage', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(intact.length - 1), fc.nat(255)), { maxLength: 20 }), (changes) => {
        const copy = Buffer.from(intact);
        for (const [at, value] of changes) copy[at] = value;
        const header = parseHeader(copy);
        if (typeof header === 'string') return;
        const result = packageOf(header, 100);
        if (typeof result !== 'string') expect(`${result.pkg.name} ${result.pkg.version}`).toMatch(/^\S+ \S+$/);
      }),
    );
  });
});

describe('sourceOf', () => {
  it.each([
    ['bash-5.1.8-9.el9.src.rpm', '', { name: 'bash', version: '5.1.8-9.el9' }],
    ['a-b-c-1-2.nosrc.rpm', '3:', { name: 'a-b-c', version: '3:1-2' }],
    ['(none)', '', undefined],
    ['', '', undefined],
    ['bash.src.rpm', '', undefined],
    ['-1-2.src.rpm', '', undefined],
    ['a--2.src.rpm', '', undefined],
    ['a-1-.src.rpm', '', undefined],
    ['a 1-2-3.src.rpm', '', undefined],
    [`${'-'.repeat(600)}.src.rpm`, '', undefined],
  ])('%s', (fileName, epoch, expected) => {
    expect(sourceOf(fileName, epoch)).toEqual(expected);
  });
});

describe('isThirdParty', () => {
  it.each([
    ['Red Hat, Inc.', '9.el9', false],
    ['SUSE LLC <https://www.suse.com/>', '1.1', false],
    ['Fedora Project', '1.fc41', false],
    ['Fedora Project', '1.el9', true],
    ['Oracle America', '1.el8', false],
    ['Oracle and/or its affiliates', '1.el8', true],
    ['obs://build.opensuse.org/home:somebody', '1.1', true],
    ['Microsoft Corporation', '1.cm2', false],
    ['Microsoft Corporation', '3.azl3', false],
    ['Microsoft Corporation <sales@microsoft.com>', '1', true],
    ['', '2.amzn2.0.1', false],
    ['(none)', '1.ph4', false],
    ['', '1', true],
  ])('%s, release %s: %s', (vendor, release, expected) => {
    expect(isThirdParty(vendor, release)).toBe(expected);
  });
});

describe('rpmCataloger', () => {
  it.each([
    ['var/lib/rpm/Packages', true],
    ['usr/lib/sysimage/rpm/Packages.db', true],
    ['usr/share/rpm/rpmdb.sqlite', true],
    ['usr/share/rpm/rpmdb.sqlite-shm', false],
    ['var/lib/rpm/Packages.old', false],
    ['usr/lib/python3/site-packages/rpm/Packages', false],
    ['var/lib/rpmmanifest/container-manifest-2', true],
    ['var/lib/rpmmanifest/container-manifest-1', false],
  ])('wants %s: %s', (path, wanted) => {
    expect(rpmCataloger.wants(path)).toBe(wanted);
  });

  it('reads the list of an image without rpm', () => {
    const text =
      line('openssl-libs', '1.1.1k-15.cm2', 'Microsoft Corporation', '0', 'openssl-1.1.1k-15.cm2.src.rpm') +
      line('glibc', '2.35-1.cm2', 'Microsoft Corporation', '1', 'glibc-2.35-1.cm2.src.rpm') +
      `\n${line('own', '1-1', 'Somebody', '0', '(none)')}nonsense\nno-release\t1\n`;
    expect(catalog('var/lib/rpmmanifest/container-manifest-2', text)).toEqual({
      packages: [
        {
          type: 'rpm',
          name: 'openssl-libs',
          version: '1.1.1k-15.cm2',
          arch: 'x86_64',
          source: { name: 'openssl', version: '1.1.1k-15.cm2' },
        },
        { type: 'rpm', name: 'glibc', version: '1:2.35-1.cm2', arch: 'x86_64' },
        { type: 'rpm', name: 'own', version: '1-1', arch: 'x86_64', thirdParty: true },
      ],
      problems: ['line 5: it names no package with a version', 'line 6: it names no package with a version'],
    });
  });

  it('says that a journal with content is not read', () => {
    expect(catalog('var/lib/rpm/rpmdb.sqlite-wal', '')).toEqual({});
    expect(catalog('var/lib/rpm/rpmdb.sqlite-wal', 'x'.repeat(4152)).problems).toEqual([
      'it has 4152 bytes, which may change the database beside it and are not read',
    ]);
  });
});
