import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cycloneDxValidator,
  sarifValidator,
  schemaValidator,
  spdxValidator,
} from '../../../test/schemas/validators.ts';
import { digestOf } from '../../oci/digest.ts';
import { inventoryOf } from '../../scanner/matcher/lookup.testing.ts';
import { type FinishedScan, type ScanForm, writeScan } from './forms.ts';
import { parseIgnoreLines } from './ignore-file.ts';
import { asDescribed, asTyped, scanReportJsonSchema, scanReportSchema } from './report-schema.testing.ts';
import { databaseOf, hostileScan, scanOf } from './reports.testing.ts';

const PUBLISHED = join(import.meta.dirname, '../../../docs/schemas/scan-report.schema.json');
const PLAIN = { colours: false } as const;
const LAYER = digestOf('layer');
const ids = (id: string) => [{ ids: [id], ranges: [{ fixed: '2.0-r0' }] }];

const SCAN = scanOf(
  {
    ...inventoryOf(
      [
        { name: 'musl', purl: 'pkg:apk/alpine/musl@1.0-r0', layer: LAYER, path: 'lib/apk/db/installed' },
        { name: 'zlib', purl: 'pkg:apk/alpine/zlib@1.0-r0', path: 'lib/apk/a b', licence: 'Zlib' },
      ],
      { version: '3.23.3' },
    ),
    layers: [{ digest: LAYER, createdBy: 'RUN apk add musl' }],
    gaps: [{ kind: 'unreadable-file', path: 'x', message: 'x could not be read' }],
  },
  databaseOf(
    { 'Alpine:v3.23 musl': ids('CVE-2026-0001'), 'Alpine:v3.23 zlib': ids('CVE-2026-0002') },
    {
      'CVE-2026-0001': {
        severities: [{ source: 'nvd', severity: 'critical', score: 9.8, vector: 'CVSS:3.1/AV:N/AC:L' }],
        kev: '2026-01-01',
        epss: { probability: 0.9, percentile: 0.99 },
        published: '2026-01-01T00:00:00Z',
      },
    },
  ),
  {
    ignoreFile: { path: '.ignored', lines: parseIgnoreLines('CVE-2026-0002 # not used\nCVE-1 x until=2026-01-01', '') },
  },
);

const json = async (form: ScanForm, scan: FinishedScan = SCAN): Promise<Record<string, never>> =>
  JSON.parse(await writeScan(form, scan, PLAIN)) as Record<string, never>;

describe('the published schema of reports', () => {
  it('is the one the code has', async () => {
    // Renewed with `vitest -u`.
    await expect(`${JSON.stringify(scanReportJsonSchema({ closed: false }), null, 2)}\n`).toMatchFileSnapshot(
      PUBLISHED,
    );
  });
  it('names every member, and no report breaks it', async () => {
    const published = schemaValidator(JSON.parse(readFileSync(PUBLISHED, 'utf8')) as object);
    const closed = schemaValidator({ ...scanReportJsonSchema({ closed: true }), $id: 'urn:breakwater:schema:closed' });
    expect(published({ ...(await json('json')), target: 7 })).not.toEqual([]);
    const check = async (scan: FinishedScan): Promise<void> => {
      const report = await json('json', scan);
      expect([published(report), closed(report)]).toEqual([[], []]);
      const parsed = scanReportSchema.parse(report) as Parameters<typeof asTyped>[0];
      expect(asDescribed(asTyped(parsed))).toEqual(report);
    };
    await check(SCAN);
    await fc.assert(fc.asyncProperty(hostileScan, check), { numRuns: 30 });
  });
});

async function printsOf(version: string, layer: string) {
  const musl = { name: 'musl', version, purl: `pkg:apk/alpine/musl@${version}`, layer: digestOf(layer) };
  const scan = scanOf(inventoryOf([musl], { version: '3.23.3' }), databaseOf({ 'Alpine:v3.23 musl': ids('CVE-1') }));
  const [run] = (await json('sarif', scan))['runs'] as unknown as { results: { partialFingerprints: object }[] }[];
  return run?.results.map(({ partialFingerprints }) => partialFingerprints);
}

describe('SARIF', () => {
  const valid = sarifValidator();

  it('has a rule for each vulnerability and a result for each package that has it', async () => {
    const log = await json('sarif');
    expect(valid(log)).toEqual([]);
    expect(log).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: {
              rules: [
                {
                  id: 'CVE-2026-0001',
                  helpUri: 'https://nvd.nist.gov/vuln/detail/CVE-2026-0001',
                  defaultConfiguration: { level: 'error' },
                  properties: { 'security-severity': '9.8' },
                },
                { id: 'CVE-2026-0002', properties: { 'security-severity': '0.0' } },
              ],
            },
          },
          invocations: [{ toolExecutionNotifications: [{ message: { text: 'x could not be read' } }] }],
          results: [
            {
              ruleId: 'CVE-2026-0001',
              ruleIndex: 0,
              level: 'error',
              message: {
                text: `CVE-2026-0001 in musl 1.0-r0 (fixed in 2.0-r0): critical; known to be exploited; layer ${LAYER} (RUN apk add musl)`,
              },
              locations: [
                {
                  physicalLocation: { artifactLocation: { uri: 'lib/apk/db/installed', uriBaseId: 'ROOT' } },
                  logicalLocations: [{ name: 'musl', fullyQualifiedName: 'pkg:apk/alpine/musl@1.0-r0' }],
                },
              ],
            },
            {
              ruleId: 'CVE-2026-0002',
              ruleIndex: 1,
              suppressions: [{ kind: 'external', justification: '.ignored line 1: not used' }],
              locations: [{ physicalLocation: { artifactLocation: { uri: 'lib/apk/a%20b' } } }],
            },
          ],
        },
      ],
    });
  });
  it('knows a finding again in another version and layer', async () => {
    expect(await printsOf('1.0-r0', 'a')).toEqual(await printsOf('1.1-r0', 'b'));
    expect(await printsOf('1.0-r0', 'a')).toHaveLength(1);
  });
  it('is valid whatever images hold', async () => {
    await fc.assert(
      fc.asyncProperty(hostileScan, async (scan) => {
        expect(valid(await json('sarif', scan))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('HTML', () => {
  it('says everything on one page', async () => {
    const page = await writeScan('html', SCAN, PLAIN);
    const text = page.slice(page.indexOf('<body>')).replaceAll(/<[^>]*>/g, ' ');
    expect(text).toMatch(/allowed with a warning: CVE-2026-0001 in musl/);
    expect(text).toMatch(/CVE-2026-0001 +exploited since 2026-01-01 +critical +\(nvd\), fixed in 2\.0-r0/);
    expect(text).toContain('RUN apk add musl');
    expect(text).toContain('.ignored line 1: not used');
    expect(text).toContain('not seen: x could not be read');
    expect(text).toContain('Zlib');
  });
  it('runs and loads nothing, and shows every text as text', async () => {
    await fc.assert(
      fc.asyncProperty(hostileScan, async (scan) => {
        const page = await writeScan('html', scan, PLAIN);
        expect(page).not.toMatch(
          /<(script|img|link|iframe|object|embed|base|form)\b|<[^>]*\son\w+=|javascript:|\bsrc="/i,
        );
        expect(page.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
        const tags = [...page.matchAll(/<(\/?)(\w+)[^>]*>/g)].map(([, slash, name]) => `${slash}${name}`);
        for (const name of ['table', 'tr', 'td', 'ul', 'li', 'p', 'code', 'a', 'html', 'details'])
          expect(tags.filter((tag) => tag === name).length).toBe(tags.filter((tag) => tag === `/${name}`).length);
      }),
      { numRuns: 50 },
    );
  });
});

describe.each([
  ['spdx', spdxValidator()],
  ['cyclonedx', cycloneDxValidator()],
] as const)('%s', (form, valid) => {
  it('is valid, by what was scanned', async () => {
    const document = await json(form);
    expect(valid(document)).toEqual([]);
    expect(JSON.stringify(document)).toContain('pkg:apk/alpine/musl@1.0-r0');
  });
});

it('tells vulnerabilities in CycloneDX, and which are set aside', async () => {
  expect((await json('cyclonedx'))['vulnerabilities']).toMatchObject([
    { id: 'CVE-2026-0001', affects: [{ ref: 'pkg:apk/alpine/musl@1.0-r0' }] },
    { id: 'CVE-2026-0002', analysis: { detail: '.ignored line 1: not used' } },
  ]);
});
