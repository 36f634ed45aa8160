import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataPath, hasData } from '../../../../test/support/data.ts';
import { type FileView, viewOf } from '../../file-view.ts';
import { rpmCataloger } from './cataloger.ts';

const DATABASES = [
  ['cbl-mariner-2.0/rpmdb.sqlite', 'rpmdb.sqlite'],
  ['sle15-bci/Packages.db', 'Packages.db'],
  ['derived/sle15-bci.bdb-big-endian.Packages.gz', 'Packages'],
  ['libuuid-el8/Packages', 'Packages'],
] as const;

function open(file: string): Buffer {
  const stored = readFileSync(dataPath('images', 'rpmdb', file));
  return file.endsWith('.gz') ? gunzipSync(stored) : stored;
}

/** The same file, but every read is a copy, and how much was read is counted. */
function counted(content: Buffer): FileView & { readonly most: () => number } {
  let most = 0;
  return {
    size: content.length,
    read(at, length) {
      most = Math.max(most, length);
      return Buffer.from(content.subarray(at, at + length));
    },
    bytes() {
      throw new Error('a database is not read as a whole');
    },
    most: () => most,
  };
}

describe.skipIf(!hasData)('real rpm databases', () => {
  it.each(DATABASES)('%s survives damage anywhere', (file, name) => {
    const intact = open(file);
    const damage = fc.array(
      fc.tuple(
        fc.oneof(fc.nat(8192), fc.nat(intact.length - 5)),
        fc.oneof(fc.nat(255), fc.constantFrom(0, 255)),
        fc.constantFrom(1, 4),
      ),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(damage, (changes) => {
        const copy = Buffer.from(intact);
        for (const [at, value, length] of changes) copy.fill(value, at, at + length);
        const found = rpmCataloger.catalog(`var/lib/rpm/${name}`, viewOf(copy));
        expect(found.packages?.length).toBeLessThan(400);
        expect(found.problems?.length).toBeLessThanOrEqual(100);
      }),
      { numRuns: 150 },
    );
  });

  it.each(DATABASES)('%s is read page by page', (file, name) => {
    const view = counted(open(file));
    rpmCataloger.catalog(`var/lib/rpm/${name}`, view);
    expect(view.most()).toBeLessThan(1024 * 1024);
  });

  it('reads 129 packages in well under 50 ms of work', () => {
    const view = viewOf(open('cbl-mariner-2.0/rpmdb.sqlite'));
    const times = Array.from({ length: 8 }, () => {
      const before = process.cpuUsage();
      expect(rpmCataloger.catalog('var/lib/rpm/rpmdb.sqlite', view).packages).toHaveLength(129);
      return process.cpuUsage(before).user / 1000;
    });
    expect(Math.min(...times)).toBeLessThan(40);
  });
});
