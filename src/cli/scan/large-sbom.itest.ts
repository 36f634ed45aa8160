import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-large-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = 180_000_000;
const PACKAGES = 20_000;

/** A document as scanners write it of a large image: mostly files, and what they belong to. */
function writeLarge(path: string): void {
  const file = openSync(path, 'w');
  const put = (texts: readonly string[]): number => writeSync(file, texts.join(''));
  put(['{"spdxVersion":"SPDX-2.3","packages":[{}']);
  for (let at = 0; at < PACKAGES; at += 1) {
    const referenceLocator = `pkg:npm/package-${at}@1.0.0`;
    const externalRefs = [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator }];
    put([',', JSON.stringify({ name: `package-${at}`, SPDXID: `SPDXRef-${at}`, versionInfo: '1.0.0', externalRefs })]);
  }
  put(['],"files":[{}']);
  const some = Array.from({ length: 500 }, (_, at) =>
    JSON.stringify({
      fileName: `/usr/lib/"${at}"\\`,
      checksums: [{ algorithm: 'SHA1', checksumValue: 'a'.repeat(40) }],
    }),
  );
  for (let size = 0; size < SIZE / 2; ) size += put([',', some.join(',')]);
  put(['],"relationships":[{}']);
  const related = { spdxElementId: 'SPDXRef-1', relatedSpdxElement: 'SPDXRef-2', relationshipType: 'CONTAINS' };
  const many = Array.from({ length: 500 }, () => JSON.stringify(related)).join(',');
  for (let size = 0; size < SIZE / 2; ) size += put([',', many]);
  put([']}']);
  closeSync(file);
}

const PROBE = `
  const { readSbomTarget } = await import(process.argv[1]);
  const { inventory } = await readSbomTarget(process.argv[2]);
  const { maxRSS, userCPUTime } = process.resourceUsage();
  console.log(JSON.stringify([inventory.packages.length, maxRSS / 1024, userCPUTime / 1e6]));
`;

it('reads a document of 180 MB without holding it', () => {
  const path = join(folder, 'large.spdx.json');
  writeLarge(path);
  const module = join(import.meta.dirname, 'sbom-target.ts');
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', PROBE, module, path], { encoding: 'utf8' });
  const [packages, megabytes, seconds] = JSON.parse(out) as [number, number, number];
  expect(packages).toBe(PACKAGES);
  expect(megabytes).toBeLessThan(300);
  expect(seconds).toBeLessThan(15);
});
