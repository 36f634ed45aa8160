import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatReference,
  ImageReferenceError,
  isRepositoryName,
  isTag,
  parseReference,
  tryParseReference,
} from './reference.ts';

const D = `sha256:${'a'.repeat(64)}` as const;

describe('parseReference', () => {
  it.each([
    ['nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['nginx:1.27', 'docker.io', 'library/nginx', '1.27', undefined],
    ['library/nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['docker.io/nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['index.docker.io/library/nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['Docker.io/nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['mycompany/x', 'docker.io', 'mycompany/x', undefined, undefined],
    ['localhost/x', 'localhost', 'x', undefined, undefined],
    ['localhost:5000/app', 'localhost:5000', 'app', undefined, undefined],
    ['localhost:5000', 'docker.io', 'library/localhost', '5000', undefined],
    ['myhost:5000/app:v1', 'myhost:5000', 'app', 'v1', undefined],
    ['Upper/app', 'Upper', 'app', undefined, undefined],
    ['LOCALHOST/app', 'localhost', 'app', undefined, undefined],
    ['QUAY.io/app', 'quay.io', 'app', undefined, undefined],
    ['quay.io', 'docker.io', 'library/quay.io', undefined, undefined],
    ['[::1]:5000/a/b:t', '[::1]:5000', 'a/b', 't', undefined],
    [`a/b@${D}`, 'docker.io', 'a/b', undefined, D],
    [`harbor.example.com/p/a/b:1.0@${D}`, 'harbor.example.com', 'p/a/b', '1.0', D],
    ['harbor.example.com/a__b/c-----d/e.f_g', 'harbor.example.com', 'a__b/c-----d/e.f_g', undefined, undefined],
  ])('%s', (text, registry, repository, tag, digest) => {
    const parsed = parseReference(text);
    expect(parsed).toEqual({
      registry,
      repository,
      ...(tag ? { tag } : {}),
      ...(digest ? { digest } : {}),
      original: text,
    });
  });

  it.each([
    ['', 'it is empty'],
    ['Nginx', 'lower case'],
    ['a/Nginx', 'lower case'],
    [`nginx@${D}x`, 'digest'],
    ['nginx@latest', 'digest'],
    [`nginx@${D}@${D}`, 'digest'],
    ['nginx:', 'tag'],
    ['nginx:-x', 'tag'],
    ['nginx:a:b', 'tag'],
    [`nginx:${'t'.repeat(129)}`, 'tag'],
    ['/nginx', 'repository'],
    ['a//b', 'repository'],
    ['a/b/', 'repository'],
    ['a/../b', 'repository'],
    ['a/.b', 'repository'],
    ['a___b', 'repository'],
    ['https://quay.io/x', 'registry host'],
    ['-evil.com/x', 'registry host'],
    ['evil..com/x', 'registry host'],
    ['quay.io:port/x', 'registry host'],
    ['user@quay.io/x', 'digest'],
    [' nginx', 'repository'],
    ['nginx\n', 'repository'],
    ['ngіnx', 'repository'],
    ['a'.repeat(64), 'image id'],
    [`a/${'b'.repeat(300)}`, 'longer'],
    ['a'.repeat(5000), 'longer'],
  ])('refuses %j', (text, part) => {
    expect(() => parseReference(text)).toThrow(ImageReferenceError);
    expect(() => parseReference(text)).toThrow(part);
  });

  it('is the identity on its own output', () => {
    const element = fc.stringMatching(/^[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}$/);
    const host = fc.stringMatching(/^[a-zA-Z0-9]{1,8}(\.[a-zA-Z0-9]{1,8}){1,2}(:[0-9]{1,5})?$/);
    fc.assert(
      fc.property(
        fc.option(host, { nil: undefined }),
        fc.array(element, { minLength: 1, maxLength: 4 }),
        fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/), { nil: undefined }),
        fc.boolean(),
        (registry, path, tag, pinned) => {
          const text = `${registry ? `${registry}/` : ''}${path.join('/')}${tag ? `:${tag}` : ''}${pinned ? `@${D}` : ''}`;
          const parsed = tryParseReference(text);
          fc.pre(parsed !== undefined);
          const again = parseReference(formatReference(parsed));
          expect({ ...again, original: '' }).toEqual({ ...parsed, original: '' });
          expect(parsed.tag).toBe(tag);
        },
      ),
    );
  });

  it('never does anything but parse or refuse, in time', () => {
    const piece = fc.constantFrom(
      'a',
      'B',
      '.',
      '/',
      ':',
      '@',
      '-',
      '_',
      '__',
      '[',
      ']',
      '\0',
      '\n',
      'é',
      D,
      'docker.io',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
        ),
        (text) => {
          const parsed = tryParseReference(text);
          if (parsed === undefined) return;
          expect(isRepositoryName(parsed.repository)).toBe(true);
          expect(parsed.original).toBe(text);
          expect(parseReference(formatReference(parsed))).toMatchObject({
            registry: parsed.registry,
            repository: parsed.repository,
          });
        },
      ),
      { numRuns: 2000 },
    );
    const started = performance.now();
    for (const text of ['a'.repeat(1000), 'a-'.repeat(500), '-'.repeat(1000), 'a/'.repeat(500), 'a.'.repeat(500)]) {
      tryParseReference(`x.io/${text}`);
    }
    expect(performance.now() - started).toBeLessThan(500);
  });
});

it('isTag and isRepositoryName follow the specification', () => {
  expect(['a', '_x', '1.0-rc.1', 'A'.repeat(128)].every(isTag)).toBe(true);
  expect(['', '.a', '-a', 'a b', 'a/b', 'A'.repeat(129), 'a\n'].some(isTag)).toBe(false);
  expect(['a', 'a/b', 'a--b/c__d', 'manifests/blobs'].every(isRepositoryName)).toBe(true);
  expect(['', 'A', 'a/', '/a', 'a..b', 'a_-b', '..', 'a\n', 'a'.repeat(256)].some(isRepositoryName)).toBe(false);
});
