import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuarantineError } from './errors.ts';
import { means, type PackageTarget, readTarget, searchedPiece } from './target.ts';

const D = `sha256:${'a'.repeat(64)}`;
const held = (purl: string, name: string, version: string, source?: { name: string; version: string }) => ({
  purl,
  name,
  version,
  ...(source ? { source } : {}),
});

function aimed(text: string, versions?: string): PackageTarget {
  const target = readTarget(text, versions);
  if (target.kind !== 'package') throw new Error(`${text} is no package`);
  return target;
}

describe('what is put under quarantine', () => {
  it.each([D, ` ${D} `, `front/app@${D}`, `docker.io/library/nginx:1.25@${D}`])('reads the digest of %s', (text) =>
    expect(readTarget(text)).toEqual({ kind: 'digest', text: D, digest: D }),
  );

  it.each([
    ['', undefined, /give a digest/],
    ['front/app:1', undefined, /a tag may mean another image tomorrow/],
    ['sha256:abc', undefined, /give a digest/],
    [D, '>= 1', /belong to a package URL/],
    ['pkg:npm/event-stream', undefined, /say which version/],
    ['pkg:npm/event-stream@', undefined, /no package URL/],
    ['pkg:npm/event-stream@1', '>= 1', /names a version already/],
    ['pkg:npm/event-stream', 'latest', /is no comparison/],
    ['pkg:npm/event-stream', '>= 2, < 1', /no version is in/],
    ['pkg:docker/nginx@1', undefined, /no package of type "docker"/],
    ['pkg:conda/x', '>= 1', /order of versions of type "conda" is not known/],
    ['pkg:npm', undefined, /no package URL/],
    ['pkg:npm/%zz@1', undefined, /no package URL/],
    [`pkg:npm/${'x'.repeat(600)}@1`, undefined, /longer than 512/],
  ])('refuses %s %s', (text, versions, message) => expect(() => readTarget(text, versions)).toThrow(message));

  it('says no or gives a target for whatever is typed', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((end) => `pkg:npm/${end}`),
        ),
        fc.option(fc.string()),
        (text, versions) => {
          try {
            readTarget(text, versions ?? undefined);
          } catch (error) {
            expect(error).toBeInstanceOf(QuarantineError);
          }
        },
      ),
    );
  });
});

describe('the packages that are meant', () => {
  it.each([
    ['pkg:npm/event-stream@3.3.6', undefined, held('pkg:npm/event-stream@3.3.6', 'event-stream', '3.3.6'), true],
    ['pkg:npm/event-stream@3.3.6', undefined, held('pkg:npm/event-stream@3.3.60', 'event-stream', '3.3.60'), false],
    ['pkg:npm/event-stream@3.3.6', undefined, held('pkg:npm/my-event-stream@3.3.6', 'my-event-stream', '3.3.6'), false],
    ['pkg:npm/event-stream@3.3.6', undefined, held('pkg:pypi/event-stream@3.3.6', 'event-stream', '3.3.6'), false],
    ['pkg:npm/@scope/x@1.0.0', undefined, held('pkg:npm/%40scope/x@1.0.0', '@scope/x', '1.0.0'), true],
    ['pkg:npm/x@1.0.0', undefined, held('pkg:npm/%40scope/x@1.0.0', '@scope/x', '1.0.0'), false],
    ['pkg:npm/x', '>= 1.0, < 1.2.3', held('pkg:npm/x@1.2.2', 'x', '1.2.2'), true],
    ['pkg:npm/x', '>= 1.0, < 1.2.3', held('pkg:npm/x@1.10.0', 'x', '1.10.0'), false],
    ['pkg:npm/x', '>= 1.0, < 1.2.3', held('pkg:npm/x@not-a-version', 'x', 'not a version'), false],
    ['pkg:pypi/Foo_Bar@1', undefined, held('pkg:pypi/foo-bar@1', 'foo-bar', '1'), true],
    [
      'pkg:deb/debian/xz-utils',
      '>= 5.6.0, < 5.6.2',
      held('pkg:deb/debian/xz-utils@5.6.1-1?arch=amd64', 'xz-utils', '5.6.1-1'),
      true,
    ],
    [
      'pkg:deb/debian/xz-utils?arch=source',
      '>= 5.6.0, < 5.6.2',
      held('pkg:deb/debian/liblzma5@5.6.1-1?arch=amd64', 'liblzma5', '5.6.1-1', {
        name: 'xz-utils',
        version: '5.6.1-1',
      }),
      true,
    ],
    [
      'pkg:deb/debian/xz-utils@5.6.1-1',
      undefined,
      held('pkg:deb/ubuntu/xz-utils@5.6.1-1', 'xz-utils', '5.6.1-1'),
      false,
    ],
  ])('%s %s and %o: %s', (purl, versions, pkg, expected) => {
    const target = aimed(purl, versions);
    expect(means(target, pkg)).toBe(expected);
    // Whatever is meant is found by what the database searches for.
    if (expected) {
      const texts = [pkg.purl, pkg.source?.name ?? ''].map((text) => text.toLowerCase());
      expect(texts.some((text) => text.includes(searchedPiece(target)))).toBe(true);
    }
  });
});
