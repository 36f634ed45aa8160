import { describe, expect, it } from 'vitest';
import { viewOf } from '../../file-view.ts';
import { sbomCataloger } from './cataloger.ts';

describe('sbomCataloger', () => {
  it.each([
    ['opt/bitnami/redis/.spdx-redis.spdx', true],
    ['app/service.spdx.json', true],
    ['app/service.cdx.json', true],
    ['app/service.cdx.xml', true],
    ['usr/local/share/sbom/node.json', true],
    ['sbom/bom.json', true],
    ['bom.json', true],
    ['usr/share/doc/tool/sbom.json', true],
    ['app/META-INF/sbom/application.cdx.json', true],
    ['app/src/bom.json', false],
    ['app/node_modules/bom/package.json', false],
    ['app/bom.txt', false],
  ])('wants %s: %s', (path, wanted) => {
    expect(sbomCataloger.wants(path)).toBe(wanted);
  });

  it('takes packages but those of the system, whose database tells better', () => {
    const purls = [
      'pkg:deb/debian/bash@5',
      'pkg:apk/alpine/musl@1',
      'pkg:npm/a@1',
      'pkg:npm/without-version',
      'pkg:bitnami/redis@7.4.0-0?arch=arm64',
    ];
    const components = purls.map((purl) => ({
      type: 'library',
      name: 'x',
      purl,
      evidence: { occurrences: [{ location: 'elsewhere' }] },
    }));
    const bytes = Buffer.from(JSON.stringify({ bomFormat: 'CycloneDX', components }));
    expect(sbomCataloger.catalog('bom.json', viewOf(bytes))).toEqual({
      packages: [
        { type: 'npm', name: 'a', version: '1' },
        { type: 'bitnami', name: 'redis', version: '7.4.0-0', arch: 'arm64' },
      ],
    });
  });

  it('names a document nobody can read', () => {
    const found = sbomCataloger.catalog('a.spdx', viewOf(Buffer.from('no document')));
    expect(found).toEqual({ packages: [], problems: [expect.stringMatching(/no bill of materials/)] });
  });
});
