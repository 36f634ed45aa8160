import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tryParseReference } from '../../oci/reference.ts';
import { parseEntry, TrustEntryError } from './entry.ts';
import { type EntryProblem, lintEntry } from './lint.ts';
import { compileEntries, entryCovers, type MatchingMode } from './matcher.ts';

const D = `sha256:${'a'.repeat(64)}`;
const E = `sha256:${'b'.repeat(64)}`;

function trusts(entry: string, image: string, mode: MatchingMode = 'reference'): boolean {
  return compileEntries([entry], mode).match(image, tryParseReference(image)) !== undefined;
}

describe('trusted entries', () => {
  it.each([
    ['harbor.example.com', 'harbor.example.com/x', true],
    ['harbor.example.com', 'HARBOR.example.com/x', true],
    ['harbor.example.com/', 'harbor.example.com/p/x:1', true],
    ['harbor.example.com', 'harbor.example.com.evil.io/x', false],
    ['harbor.example.com', 'harbor.example.com:5000/x', false],
    ['harbor.example.com', 'evil-harbor.example.com/x', false],
    ['harbor.example.com', 'evil.io/harbor.example.com/x', false],
    ['harbor.example.com', 'harbor.example.com', false],
    ['harbor.example.com:5000', 'harbor.example.com:5000/x', true],
    ['harbor.example.com:5000', 'harbor.example.com/x', false],
    ['harbor.example.com:5000', 'harbor.example.com:50001/x', false],
    ['localhost:5000', 'localhost:5000/x', true],
    ['[::1]:5000', '[::1]:5000/x', true],
    ['harbor.example.com/p', 'harbor.example.com/p/x', true],
    ['harbor.example.com/p', 'harbor.example.com/p/x/y', true],
    ['harbor.example.com/p', 'harbor.example.com/pevil/x', false],
    ['harbor.example.com/p', 'harbor.example.com/q/p/x', false],
    ['harbor.example.com/p/', 'harbor.example.com/p', false],
    ['harbor.example.com/p', 'harbor.example.com/p', true],
    ['harbor.example.com/p/app', 'harbor.example.com/p/app:1', true],
    ['harbor.example.com/p/app', `harbor.example.com/p/app@${D}`, true],
    ['harbor.example.com/p/app', 'harbor.example.com/p/app-evil', false],
    ['quay.io/jetstack/cert-manager-acmesolver', 'quay.io/jetstack/cert-manager-acmesolver-evil:1', false],
    ['docker.io/mycompany', 'mycompany/x', true],
    ['docker.io/mycompany', 'docker.io/mycompanyevil/x', false],
    ['docker.io/mycompany', 'mycompanyevil/x', false],
    ['docker.io/mycompany', 'docker.io/mycompany', true],
    ['docker.io/mycompany/', 'docker.io/mycompany', false],
    ['mycompany/', 'mycompany/x', true],
    ['mycompany/x', 'index.docker.io/mycompany/x:2', true],
    ['docker.io/library/', 'nginx', true],
    ['docker.io/library/', 'library/nginx', true],
    ['docker.io/library', 'index.docker.io/library/nginx', true],
    ['docker.io/library', 'docker.io/library', true],
    ['docker.io', 'nginx', true],
    ['docker.io', 'docker.io.evil.com/nginx', false],
    ['nginx', 'docker.io/library/nginx:1', true],
    ['nginx', 'library/library/nginx', false],
    ['docker.io/library/nginx', 'library/library/nginx', false],
    ['nginx', 'nginx', true],
    ['nginx', 'nginx/evil', false],
    ['nginx', 'nginxevil.com/x', false],
    ['nginx', 'nginx-evil/x', false],
    ['nginx', 'nginx-evil', false],
    ['ubuntu:20.14', 'ubuntu:20.14', true],
    ['ubuntu:20.14', `ubuntu:20.14@${D}`, true],
    ['ubuntu:20.14', `ubuntu@${D}`, false],
    ['ubuntu:20.14', 'ubuntu:20.14-evil', false],
    ['ubuntu:20.14', 'ubuntu', false],
    ['ubuntu:latest', 'ubuntu', true],
    [`ubuntu@${D}`, `docker.io/library/ubuntu:other@${D}`, true],
    [`ubuntu@${D}`, `ubuntu@${E}`, false],
    [`ubuntu@${D}`, `evil/ubuntu@${D}`, false],
    [`ubuntu:1@${D}`, `ubuntu:2@${D}`, true],
    ['harbor.example.com', 'not an image', false],
    ['harbor.example.com', 'harbor.example.com/Upper', false],
    ['harbor.example.com', 'harbor.example.com/../evil', false],
    ['harbor.example.com', 'harbor.example.com/x\u0000', false],
  ])('%s and %s: %s', (entry, image, expected) => expect(trusts(entry, image)).toBe(expected));

  it.each([
    '',
    ' ',
    'https://harbor.example.com',
    'harbor.example.com/*',
    '*',
    'a b',
    'nginx:',
    'x@sha256:1',
    'A..b/c',
  ])('%j trusts nothing and says why', (text) => {
    expect(() => parseEntry(text)).toThrow(TrustEntryError);
    const matcher = compileEntries([text]);
    expect(matcher.problems).toHaveLength(1);
    expect(matcher.match('nginx', tryParseReference('nginx'))).toBeUndefined();
    expect(lintEntry(text)[0]?.kind).toBe('invalid');
  });

  it('knows the scopes', () => {
    const texts = ['a.io', 'a.io/p', 'a.io/p/x', 'x:1', `x@${D}`, 'x', 'docker.io/p', 'p/'];
    expect(texts.map((text) => parseEntry(text).scope)).toEqual([
      'registry',
      'project',
      'repository',
      'tag',
      'digest',
      'repository',
      'project',
      'project',
    ]);
  });

  it('keeps raw prefixes for compatibility, except the one that trusts everything', () => {
    expect(trusts('harbor.example.com', 'harbor.example.com.evil.io/x', 'prefix')).toBe(true);
    expect(trusts('docker.io/library/', 'nginx', 'prefix')).toBe(false);
    expect(trusts('', 'nginx', 'prefix')).toBe(false);
    expect(compileEntries([''], 'prefix').problems).toHaveLength(1);
  });
});

function bypasses(text: string): EntryProblem[] {
  return lintEntry(text, 'prefix').filter(({ kind }) => kind === 'bypass');
}

const element = fc.stringMatching(/^[a-z0-9]{1,4}$/);
const host = fc.stringMatching(/^[a-z]{1,4}\.[a-z]{2,3}(:[0-9]{2})?$/);
const entryText = fc.oneof(
  host,
  fc.tuple(host, fc.array(element, { minLength: 1, maxLength: 3 })).map(([h, path]) => [h, ...path].join('/')),
  fc.tuple(element, element).map((parts) => parts.join('/')),
  fc.tuple(host, element, element).map(([h, path, tag]) => `${h}/${path}:${tag}`),
  element,
);

describe('laws', () => {
  it('the compiled set answers as its entries do one by one', () => {
    const image = fc.oneof(
      entryText,
      fc.tuple(entryText, element).map((parts) => parts.join('/')),
    );
    fc.assert(
      fc.property(fc.array(entryText, { maxLength: 6 }), image, (entries, text) => {
        const reference = tryParseReference(text);
        const slow = reference !== undefined && entries.some((entry) => entryCovers(parseEntry(entry), reference));
        expect(compileEntries(entries).match(text, reference) !== undefined).toBe(slow);
      }),
    );
  });

  it('whatever continues an entry without a boundary is not trusted', () => {
    fc.assert(
      fc.property(entryText, fc.stringMatching(/^[a-z0-9-]{1,3}[a-z]$/), (entry, tail) => {
        fc.pre(parseEntry(entry).scope !== 'registry' || !entry.includes(':'));
        const image = `${entry}${tail}/x`;
        const parsed = parseEntry(entry);
        fc.pre(parsed.scope !== 'tag');
        expect(trusts(entry, image)).toBe(false);
      }),
    );
  });

  it('every bypass the linter names is real, and the safer text closes it', () => {
    fc.assert(
      fc.property(entryText, (entry) => {
        for (const { kind, example, safer } of lintEntry(entry, 'prefix')) {
          if (kind !== 'bypass' || example === undefined || safer === undefined) continue;
          expect(trusts(entry, example, 'prefix')).toBe(true);
          expect(trusts(entry, example)).toBe(false);
          expect(trusts(safer, example, 'prefix')).toBe(false);
          if (!safer.includes('<')) expect(bypasses(safer)).toEqual([]);
        }
        const boundary = entry.endsWith('/') || entry.includes('@');
        expect(bypasses(entry).length > 0).toBe(!boundary);
      }),
    );
  });

  it('no text makes entries or lint throw anything else', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.constantFrom<MatchingMode>('prefix', 'reference'), (text, mode) => {
        compileEntries([text], mode).match(text, tryParseReference(text));
        for (const problem of lintEntry(text, mode)) expect(problem.message).not.toBe('');
      }),
      { numRuns: 1000 },
    );
  });
});

it('the linter tells what to write instead', () => {
  expect(lintEntry('harbor.example.com', 'prefix')).toEqual([
    {
      kind: 'bypass',
      message:
        '"harbor.example.com" is compared as raw text and lets "harbor.example.com.evil.example/x" through; write "harbor.example.com/" or match by reference',
      example: 'harbor.example.com.evil.example/x',
      safer: 'harbor.example.com/',
    },
  ]);
  expect(lintEntry('harbor.example.com')).toEqual([]);
  expect(lintEntry('docker.io/mycompany').map(({ kind, safer }) => [kind, safer])).toEqual([
    ['ambiguous', 'docker.io/mycompany/'],
  ]);
  expect(lintEntry('myhost:5000')[0]).toMatchObject({ kind: 'ambiguous', safer: 'myhost:5000/' });
  expect(lintEntry('docker.io')[0]).toMatchObject({ kind: 'broad' });
  expect(lintEntry('nginx:1.27')[0]).toMatchObject({ kind: 'movable' });
  expect(lintEntry(`nginx@${D}`)).toEqual([]);
});
