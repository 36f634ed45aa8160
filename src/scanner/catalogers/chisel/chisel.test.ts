import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../file-view.ts';
import { chiselCataloger } from './cataloger.ts';

const PATH = 'var/lib/chisel/manifest.wall';
const HEAD = '{"jsonwall":"1.0","schema":"1.0","count":3}\n';
const catalog = (text: string) => chiselCataloger.catalog(PATH, viewOf(zstdCompressSync(Buffer.from(text))));

describe('chiselCataloger', () => {
  it('reads packages, and the language packages among their files', () => {
    const text =
      '{"kind":"content","slice":"libc6_libs","path":"/usr/lib/libc.so.6"}\n' +
      '{"kind":"package","name":"libc6","version":"2.39-0ubuntu8.4","sha256":"b2","arch":"amd64"}\n' +
      '{"kind":"path","path":"/usr/lib/node_modules/npm/package.json","mode":"0644","slices":["npm_all"]}\n' +
      '{"kind":"path","path":"/usr/share/npm.html","mode":"0755","slices":["npm_all"]}\n\n';
    expect(catalog(HEAD + text)).toEqual({
      packages: [{ type: 'deb', name: 'libc6', version: '2.39-0ubuntu8.4', arch: 'amd64' }],
      owned: ['usr/lib/node_modules/npm/package.json'],
      problems: [],
    });
  });

  it.each([
    ['', [], []],
    ['no header\n', [], ['it does not begin as a manifest']],
    ['{"kind":"package","name":"a","version":"1"}\n', [], ['it does not begin as a manifest']],
    [`${HEAD}[1]\n"x"\nnull\n`, [], [2, 3, 4].map((line) => `line ${line}: it is no JSON object`)],
    [`${HEAD}{"kind":"package","name":"a"}\n`, [], ['line 2: it names no package with a version']],
    [`${HEAD}{"kind":"package","name":"a b","version":"1"}\n`, [], ['line 2: it names no package with a version']],
    [`${HEAD}{"kind":"package","name":"a","version":"1","arch":7,"__proto__":{"kind":"x"}}\n`, ['a'], []],
    [`${HEAD}{"kind":"path","path":7}\n{"kind":"constructor"}\n`, [], []],
  ])('keeps the rest when a line is malformed: %j', (text, names, problems) => {
    const found = catalog(text);
    expect([found.packages?.map(({ name }) => name) ?? [], found.problems]).toEqual([names, problems]);
  });

  it('says what is no zstd file', () => {
    const { packages, problems } = chiselCataloger.catalog(PATH, viewOf(Buffer.from('plain text')));
    expect([packages, problems?.length]).toEqual([undefined, 1]);
    expect(problems?.[0]).toMatch(/^it is no zstd file: /);
  });

  it('does not unpack bombs', () => {
    const bomb = zstdCompressSync(Buffer.alloc(65 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(100_000);
    expect(chiselCataloger.catalog(PATH, viewOf(bomb)).problems).toEqual([
      'it has more than 67108864 bytes without its compression',
    ]);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(60), (noise, at) => {
        const whole = Buffer.concat([zstdCompressSync(Buffer.from(HEAD)).subarray(0, at), noise]);
        expect(chiselCataloger.catalog(PATH, viewOf(whole)).packages ?? []).toEqual([]);
        expect(catalog(HEAD + Buffer.from(noise).toString('latin1')).packages).toEqual([]);
      }),
    );
  });
});
