import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Inventory, Package } from '../../model/inventory.ts';
import { digestOf } from '../../oci/digest.ts';
import { inventoryOf } from '../../scanner/matcher/lookup.testing.ts';
import type { AdvisoryStatement } from '../../scanner/matcher/lookup.ts';
import { parseIgnoreLines } from './ignore-file.ts';
import type { Paper } from './paper.ts';
import { renderScan } from './render.ts';
import type { ReportInput } from './report.ts';
import { databaseOf, hostileScan, NOW, scanOf } from './reports.testing.ts';

const FACTS = {
  'CVE-2026-0001': { severities: [{ source: 'nvd', severity: 'critical' }], kev: '2026-01-01' },
  'CVE-2026-0002': { severities: [{ source: 'nvd', severity: 'medium' }] },
  'CVE-2026-0003': { severities: [{ source: 'nvd', severity: 'high' }] },
} as const;
const MUSL = { name: 'musl', version: '1.2.2-r0', purl: 'pkg:apk/alpine/musl@1.2.2-r0' };
const ZLIB = { name: 'zlib', version: '1.0-r0', purl: 'pkg:apk/alpine/zlib@1.0-r0' };
const ALPINE = { version: '3.23.3', prettyName: 'Alpine Linux v3.23' };
const PLAIN: Paper = { colours: false };

function affected(id: string, fixed?: string): Partial<AdvisoryStatement> {
  return { ids: [id], ranges: [fixed === undefined ? {} : { fixed }] };
}

interface Options extends Partial<ReportInput> {
  readonly packages?: readonly Partial<Package>[];
  readonly samples?: readonly string[];
  readonly paper?: Paper;
  readonly layers?: NonNullable<Inventory['layers']>;
}

function scan(musl: readonly Partial<AdvisoryStatement>[], options: Options = {}) {
  const { packages = [MUSL], samples = [], paper = PLAIN, layers, ...rest } = options;
  const database = databaseOf(
    { 'Alpine:v3.23 musl': musl, 'Alpine:v3.23 zlib': [affected('CVE-2026-0003')] },
    FACTS,
    samples,
  );
  const inventory = { ...inventoryOf(packages, ALPINE), ...(layers ? { layers } : {}) };
  const { report } = scanOf(inventory, database, rest);
  return { report, lines: renderScan(report, NOW, paper).split('\n') };
}

function ignoring(...lines: readonly string[]) {
  return { path: 'x/ignored', lines: parseIgnoreLines(lines.join('\n'), 'x/ignored') };
}

describe('a scan for people', () => {
  it('groups by package, worst first, with the version that ends everything', () => {
    const { lines } = scan([affected('CVE-2026-0002', '1.2.10-r0'), affected('CVE-2026-0001', '1.2.9-r0')], {
      packages: [ZLIB, MUSL],
    });
    const at = lines.findIndex((line) => line.startsWith('PACKAGE'));
    expect(lines.slice(at, at + 3)).toEqual([
      'PACKAGE  INSTALLED  FIXED IN   WORST     VULNERABILITIES',
      'musl     1.2.2-r0   1.2.10-r0  critical  CVE-2026-0001 KEV, CVE-2026-0002',
      'zlib     1.0-r0     -          high      CVE-2026-0003',
    ]);
  });
  it('puts copies of a package into one row', () => {
    const { lines } = scan([affected('CVE-2026-0001')], { packages: [MUSL, { ...MUSL, path: 'other' }] });
    expect(lines.filter((line) => line.startsWith('musl'))).toEqual([
      'musl     1.2.2-r0   -         critical  CVE-2026-0001 KEV',
    ]);
  });
  it('names the layer and the build step that brought a package', () => {
    const [base, top] = [digestOf('base'), digestOf('top')];
    const { lines } = scan([affected('CVE-2026-0001')], {
      packages: [{ ...MUSL, layer: top }],
      layers: [
        { digest: base, createdBy: 'ADD rootfs.tar.gz /' },
        { digest: top, createdBy: 'RUN apk add musl' },
      ],
    });
    expect(lines).toContain('musl     1.2.2-r0   -         critical  2      CVE-2026-0001 KEV');
    const at = lines.indexOf('layer:');
    expect(lines[at + 1]).toBe(`  2  ${top.slice(0, 19)}  RUN apk add musl`);
  });
  it('says how many have no fix', () => {
    const { lines } = scan([affected('CVE-2026-0002'), affected('CVE-2026-0001', '1.2.9-r0')]);
    expect(lines.join('\n')).toContain('1.2.9-r0 (1 without a fix)');
    expect(lines).toContain('2 findings: 1 critical, 1 medium; 1 with a fix; 1 known to be exploited (KEV)');
  });
  it('leaves out what has no fix when asked, and says so', () => {
    const { lines, report } = scan([affected('CVE-2026-0002'), affected('CVE-2026-0001', '1.2.9-r0')], {
      onlyFixable: true,
    });
    expect(report.findings.map(({ id }) => id)).toEqual(['CVE-2026-0001']);
    expect(lines.join('\n')).toContain(
      '1 with a fix; 1 known to be exploited (KEV); 1 finding without a fix not shown',
    );
  });
  it('says how far it reaches and how old that is', () => {
    const { lines } = scan([]);
    expect(lines).toContain('no known vulnerabilities');
    expect(lines).toContain('distribution: Alpine Linux v3.23 (fixes until 2027-11-01)');
    expect(lines).toContain('advisories: Alpine:v3.23 from test, complete, 1 record');
    expect(lines).toContain('database: sha256:111111111111, built 2026-03-09 (2 days ago)');
  });
  it('warns of a sample and of an old database', () => {
    expect(scan([], { samples: ['Alpine:v3.23'] }).lines.join('\n')).toContain('a SAMPLE: silence proves nothing');
    const { report } = scan([]);
    expect(renderScan(report, NOW + 30 * 86_400_000, PLAIN)).toContain('(32 days ago); OLD: what became known');
  });
  it('ends with the verdict and what to do', () => {
    expect(scan([affected('CVE-2026-0001', '1.2.9-r0')]).lines.at(-1)).toMatch(
      /^allowed with a warning: CVE-2026-0001 in musl .*Update the packages named above and scan again\.$/,
    );
    expect(scan([]).lines.at(-1)).toBe('allowed: no known vulnerabilities. Nothing to do.');
  });
  it('fits the terminal, in colours where there are some', () => {
    const musl = ['1', '2', '3', '4', '5', '6'].map((at) => affected(`CVE-2025-000${at}`, '1.2.9-r0'));
    const { lines } = scan([...musl, affected('CVE-2026-0001')], { paper: { width: 80, colours: false } });
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.join('\n')).toContain('CVE-2026-0001 KEV, and 6 more');
    const { lines: coloured } = scan(musl, { paper: { colours: true } });
    expect(coloured.join('\n')).toContain('\u001b[');
  });
  it('prints nothing of an image that a terminal would act upon', () => {
    fc.assert(
      fc.property(hostileScan, fc.option(fc.integer({ min: 1, max: 200 })), ({ report }, width) => {
        const text = renderScan(report, NOW, { colours: false, ...(width === null ? {} : { width }) });
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(text.length).toBeLessThan(50_000);
      }),
      { numRuns: 60 },
    );
  });
});

describe('--fail-on', () => {
  it.each([
    ['critical', 'block'],
    ['high', 'block'],
    ['kev', 'block'],
    ['any', 'block'],
    ['off', 'warn'],
  ] as const)('%s gives %s for a critical finding that is exploited', (failOn, kind) => {
    expect(scan([affected('CVE-2026-0001', '1.2.9-r0')], { failOn }).report.verdict.kind).toBe(kind);
  });
  it.each([
    ['high', 'allow'],
    ['kev', 'allow'],
    ['any', 'block'],
    ['medium', 'block'],
  ] as const)('%s gives %s for a medium one', (failOn, kind) => {
    expect(scan([affected('CVE-2026-0002', '1.2.9-r0')], { failOn }).report.verdict.kind).toBe(kind);
  });
  it('does not count what was set aside or left out', () => {
    const critical = [affected('CVE-2026-0001', '1.2.9-r0')];
    const verdictOf = (options: Options) => scan(critical, { failOn: 'any', ...options }).report.verdict.kind;
    expect(verdictOf({ ignoreFile: ignoring('CVE-2026-0001') })).toBe('allow');
    expect(verdictOf({ ignoreFile: ignoring('CVE-2026-0001 zlib') })).toBe('block');
    expect(verdictOf({ ignoreFile: ignoring('CVE-2026-0001 until=2026-03-10') })).toBe('block');
    expect(scan([affected('CVE-2026-0001')], { failOn: 'any', onlyFixable: true }).report.verdict.kind).toBe('allow');
  });
});

describe('an ignore file', () => {
  const { lines, report } = scan([affected('CVE-2026-0001', '1.2.9-r0'), affected('CVE-2026-0002')], {
    ignoreFile: ignoring(
      'CVE-2026-0001 musl until=2026-07-01 # not reachable',
      'CVE-2020-0001',
      'CVE-2026-0002 until=2026-03-01',
    ),
  });
  it('sets findings aside, which are listed apart with the reason', () => {
    expect(report.findings[0]?.setAside).toEqual({
      by: 'ignore-file',
      document: 'x/ignored',
      line: 1,
      until: '2026-07-01T23:59:59Z',
      reason: 'not reachable',
    });
    expect(lines).toContain('  CVE-2026-0001 in musl 1.2.2-r0: x/ignored line 1, until 2026-07-01: not reachable');
    expect(lines.filter((line) => line.startsWith('musl'))).toEqual([
      'musl     1.2.2-r0   -         medium  CVE-2026-0002',
    ]);
  });
  it('says which lines do nothing', () => {
    expect(lines).toContain('ignore file: x/ignored line 2 (CVE-2020-0001) concerns nothing that was found');
    expect(lines).toContain('ignore file: x/ignored line 3 (CVE-2026-0002) is over and does not count any more');
  });
});

describe('the report', () => {
  it('names ecosystem and severity with their sources', () => {
    const { report } = scan([affected('CVE-2026-0001', '1.2.9-r0')]);
    expect(report.packages).toMatchObject([{ ecosystem: 'Alpine:v3.23', name: 'musl', version: '1.2.2-r0' }]);
    expect(report.findings).toMatchObject([
      { id: 'CVE-2026-0001', package: 'musl', fixed: '1.2.9-r0', severity: 'critical', severitySource: 'nvd' },
    ]);
  });
  it('is about the content where there is no manifest', () => {
    const [one, same, other] = [scan([]), scan([]), scan([], { packages: [ZLIB] })];
    expect(one.report.verdict.subject).toBe(same.report.verdict.subject);
    expect(one.report.verdict.subject).not.toBe(other.report.verdict.subject);
  });
});
