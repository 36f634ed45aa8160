import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegistryError } from './errors.ts';
import { parseTarget } from './paths.ts';

describe('parseTarget', () => {
  it.each([
    ['/v2', { kind: 'base' }],
    ['/v2/', { kind: 'base' }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/a/b/tags/list', { kind: 'tags', repository: 'a/b' }],
    ['/v2/a/manifests/v1', { kind: 'manifest', repository: 'a', reference: 'v1' }],
    ['/v2/a/manifests/sha256%3Aabc', { kind: 'manifest', repository: 'a', reference: 'sha256:abc' }],
    ['/v2/a/b/c/blobs/sha256:x', { kind: 'blob', repository: 'a/b/c', digest: 'sha256:x' }],
    ['/v2/a/blobs/uploads', { kind: 'uploads', repository: 'a' }],
    ['/v2/a/blobs/uploads/', { kind: 'uploads', repository: 'a' }],
    ['/v2/a/blobs/uploads/id', { kind: 'upload', repository: 'a', id: 'id' }],
    ['/v2/a/referrers/sha256:x', { kind: 'referrers', repository: 'a', digest: 'sha256:x' }],
    ['/v2/a/manifests/tags/list', { kind: 'tags', repository: 'a/manifests' }],
    ['/v2/a/tags/list/manifests/list', { kind: 'manifest', repository: 'a/tags/list', reference: 'list' }],
    ['/v2/a/blobs/uploads/blobs/uploads/', { kind: 'uploads', repository: 'a/blobs/uploads' }],
    ['/v2/blobs/blobs/blobs/blobs', { kind: 'blob', repository: 'blobs/blobs', digest: 'blobs' }],
    ['/v2/a', undefined],
    ['/v2/a/b/c', undefined],
    ['/v2/a/tags/other', undefined],
    ['/v2/a/%ff/tags/list', undefined],
  ])('%s', (path, target) => {
    expect(parseTarget(path)).toEqual(target);
  });

  it.each([
    '/v2/tags/list',
    '/v2//tags/list',
    '/v2/A/tags/list',
    '/v2/a//b/tags/list',
    '/v2/a/../b/manifests/x',
    '/v2/manifests/x',
  ])('%s names no repository', (path) => {
    expect(() => parseTarget(path)).toThrow(RegistryError);
  });

  it('never fails in any other way', () => {
    const part = fc.oneof(
      fc.constantFrom('blobs', 'uploads', 'tags', 'list', 'manifests', 'referrers', '', '..', '%2f'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        try {
          parseTarget(`/v2/${parts.join('/')}`);
        } catch (error) {
          expect(error).toBeInstanceOf(RegistryError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
