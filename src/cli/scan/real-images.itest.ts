import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cycloneDxValidator, sarifValidator, spdxValidator } from '../../../test/schemas/validators.ts';
import { dataPath, hasData } from '../../../test/support/data.ts';
import { systemClock } from '../../platform/clock.ts';
import { analyseLocalTarget } from '../../scanner/analyse-image.ts';
import { readLicence } from '../../scanner/sbom-write/licence.ts';
import type { OpenedAdvisories } from './advisories.ts';
import { openAdvisories } from './advisories.ts';
import { type FinishedScan, type ScanForm, writeScan } from './forms.ts';
import { judgeScan } from './report.ts';
import { scanReportSchema } from './report-schema.testing.ts';
import { readSbomTarget } from './sbom-target.ts';
import type { ScannedTarget } from './scanned-target.ts';

const IMAGES = [
  'alpine/alpine-minirootfs-3.10.9-x86_64.tar.gz',
  'alpine/alpine-minirootfs-3.20.3-aarch64.tar.gz',
  'alpine/alpine-minirootfs-20240923-x86_64.tar.gz',
  'debian/debian-12-minbase.tar.gz',
  'docker-archive/alpine-310.tar.gz',
  'layers/npm-vulnerable-app.tar.gz',
];
const VALIDATORS = { spdx: spdxValidator(), cyclonedx: cycloneDxValidator(), sarif: sarifValidator() } as const;

let folder: string;
let advisories: OpenedAdvisories;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-forms-'));
  // Nothing is installed there: these are the advisories that ship with the program.
  advisories = await openAdvisories({ dataDir: folder, cacheHome: folder }, undefined);
});
afterAll(async () => {
  await advisories.close();
  await rm(folder, { recursive: true });
});

function finished(target: ScannedTarget): FinishedScan {
  const now = systemClock.now();
  return { ...judgeScan({ target, database: advisories.database, failOn: 'off', now }), target, now };
}

async function written(form: ScanForm, scan: FinishedScan): Promise<unknown> {
  return JSON.parse(await writeScan(form, scan, { colours: false }));
}

/** What makes a scan, without the places where things were found. */
function essence({ report: { packages, findings, distribution, verdict } }: FinishedScan) {
  const lines = [
    // Documents spell licences as the SPDX list does.
    ...packages.map(({ layer: _layer, path: _path, licence, ...pkg }) => JSON.stringify([pkg, readLicence(licence)])),
    ...findings.map(({ layer: _layer, path: _path, paths: _paths, ...finding }) => JSON.stringify(finding)),
  ];
  return { lines: [...new Set(lines)].sort(), distribution, kind: verdict.kind };
}

describe.skipIf(!hasData).each(IMAGES)('%s', (name) => {
  let scan: FinishedScan;
  beforeAll(async () => {
    const analysed = await analyseLocalTarget(dataPath('images', name));
    if (!analysed) throw new Error(`no ${name}`);
    scan = finished({ ...analysed, repository: '', subject: { kind: 'image', name } });
    expect(scan.report.packages.length).toBeGreaterThan(10);
  });

  it.each(['spdx', 'cyclonedx', 'sarif'] as const)('is valid %s', async (form) => {
    expect(VALIDATORS[form](await written(form, scan))).toEqual([]);
  });
  it('is a report by its schema', async () => {
    expect(scanReportSchema.strict().safeParse(await written('json', scan)).error).toBeUndefined();
  });
  it.each(['spdx', 'cyclonedx'] as const)('comes back from %s as it was', async (form) => {
    const path = join(folder, `${form}.json`);
    await writeFile(path, await writeScan(form, scan, { colours: false }));
    const target = await readSbomTarget(path);
    if (!target) throw new Error(`${form} was not recognised`);
    expect(essence(finished(target))).toEqual(essence(scan));
  });
});
