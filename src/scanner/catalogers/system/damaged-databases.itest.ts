import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataPath, hasData } from '../../../../test/support/data.ts';
import { viewOf } from '../../file-view.ts';
import { catalogerFor } from '../index.ts';

/** Real files of the package managers that write text, and where a system would have them. */
const FILES = [
  ['apk/installed', 'lib/apk/db/installed'],
  ['apk/multiple-1', 'usr/lib/apk/db/installed'],
  ['dpkg/postgresql.status', 'var/lib/dpkg/status'],
  ['dpkg/syft-status.d/multiple', 'var/lib/dpkg/status.d/multiple'],
  ['distroless/var/lib/dpkg/status.d/libsqlite3-0.md5sums', 'var/lib/dpkg/status.d/libsqlite3-0.md5sums'],
  ['opkg/valid.status', 'usr/lib/opkg/status'],
  ['pacman/scalibr-valid.desc', 'var/lib/pacman/local/gawk-5.3.1-1/desc'],
  ['pacman/var/lib/pacman/local/pacman-6.0.1-5/files', 'var/lib/pacman/local/pacman-6.0.1-5/files'],
  ['chisel/openssl.wall', 'var/lib/chisel/manifest.wall'],
  ['chisel/invalid.wall', 'var/lib/chisel/manifest.wall'],
] as const;

describe.skipIf(!hasData)('real databases, damaged', () => {
  it.each(FILES)('%s gives packages with names and versions, or problems', (file, path) => {
    const intact = readFileSync(dataPath('images', 'layers', 'os', file));
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('\n\r\t :%{}"\0')));
    const change = fc.record({
      at: fc.nat(intact.length - 1),
      bytes: fc.array(byte, { maxLength: 8 }),
      cut: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        let damaged = intact;
        for (const { at, bytes, cut } of changes)
          damaged = Buffer.concat([damaged.subarray(0, at), Buffer.from(bytes), damaged.subarray(at + cut)]);
        const found = catalogerFor(path)?.catalog(path, viewOf(damaged));
        expect(found).toBeDefined();
        expect(found?.problems?.length ?? 0).toBeLessThanOrEqual(100);
        for (const pkg of found?.packages ?? []) expect(`${pkg.name} ${pkg.version}`).toMatch(/^\S+ \S+$/);
      }),
      { numRuns: 500 },
    );
  });
});
