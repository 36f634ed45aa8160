import { describe, expect, it } from 'vitest';
import type { AdvisoryDatabase } from '../../scanner/advisories/index.ts';
import { inventoryOf, lookupOf } from '../../scanner/matcher/lookup.testing.ts';
import type { AdvisoryStatement } from '../../scanner/matcher/lookup.ts';
import { renderScan } from './render.ts';
import { judgeScan, type ReportInput } from './report.ts';

const NOW = Date.parse('2026-06-11T00:00:00Z');
const FACTS = {
  'CVE-2026-0001': { severities: [{ source: 'nvd', severity: 'critical' }], kev: '2026-01-01' },
  'CVE-2026-0002': { severities: [{ source: 'nvd', severity: 'medium' }] },
  'CVE-2026-0003': { severities: [{ source: 'nvd', severity: 'high' }] },
} as const;
const MUSL = { name: 'musl', version: '1.2.2-r0', purl: 'pkg:apk/alpine/musl@1.2.2-r0' };
const ZLIB = { name: 'zlib', version: '1.0-r0', purl: 'pkg:apk/alpine/zlib@1.0-r0' };
const ALPINE = { version: '3.20.3', prettyName: 'Alpine Linux v3.20' };

function affected(id: string, fixed?: string): Partial<AdvisoryStatement> {
  return { ids: [id], ranges: [fixed === undefined ? {} : { fixed }] };
}

function databaseOf(musl: readonly Partial<AdvisoryStatement>[], samples: readonly string[]): AdvisoryDatabase {
  return {
    ...lookupOf({ 'Alpine:v3.20 musl': musl, 'Alpine:v3.20 zlib': [affected('CVE-2026-0003')] }, FACTS, samples),
    version: `sha256:${'1'.repeat(64)}`,
    builtAt: '2026-06-09T00:00:00Z',
    path: '',
    sources: [],
    keys: () => [],
    close: () => undefined,
  };
}

function scan(
  musl: readonly Partial<AdvisoryStatement>[],
  options: Partial<ReportInput> & { packages?: Parameters<typeof inventoryOf>[0]; samples?: readonly string[] } = {},
) {
  const { packages = [MUSL], samples = [], ...rest } = options;
  const subject = { kind: 'image', name: 'image.tar' } as const;
  const target = { name: 'image.tar', repository: '', subject, inventory: inventoryOf(packages, ALPINE) };
  const { report } = judgeScan({ target, database: databaseOf(musl, samples), failOn: 'off', now: NOW, ...rest });
  return { report, lines: renderScan(report, NOW, { colours: false }).split('\n') };
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
  it('says how many have no fix', () => {
    const { lines } = scan([affected('CVE-2026-0002'), affected('CVE-2026-0001', '1.2.9-r0')]);
    expect(lines.join('\n')).toContain('1.2.9-r0 (1 without a fix)');
    expect(lines).toContain('2 findings: 1 critical, 1 medium; 1 with a fix; 1 known to be exploited (KEV)');
  });
  it('says how far it reaches and how old that is', () => {
    const { lines } = scan([]);
    expect(lines).toContain('no known vulnerabilities');
    expect(lines).toContain('distribution: Alpine Linux v3.20');
    expect(lines).toContain('advisories: Alpine:v3.20 from test, complete, 1 record');
    expect(lines).toContain('database: sha256:111111111111, built 2026-06-09 (2 days ago)');
  });
  it('warns of a sample', () => {
    expect(scan([], { samples: ['Alpine:v3.20'] }).lines.join('\n')).toContain('a SAMPLE: silence proves nothing');
  });
  it('ends with the verdict and what to do', () => {
    expect(scan([affected('CVE-2026-0001', '1.2.9-r0')]).lines.at(-1)).toMatch(
      /^allowed with a warning: CVE-2026-0001 in musl .*Update the packages named above and scan again\.$/,
    );
    expect(scan([]).lines.at(-1)).toBe('allowed: no known vulnerabilities. Nothing to do.');
  });
});

describe('--fail-on', () => {
  it.each([
    ['critical', 'block'],
    ['high', 'block'],
    ['off', 'warn'],
  ] as const)('%s gives %s for a critical finding', (failOn, kind) => {
    expect(scan([affected('CVE-2026-0001', '1.2.9-r0')], { failOn }).report.verdict.kind).toBe(kind);
  });
  it('lets what is less severe pass', () => {
    expect(scan([affected('CVE-2026-0002', '1.2.9-r0')], { failOn: 'high' }).report.verdict.kind).toBe('allow');
  });
});

describe('the report', () => {
  it('names ecosystem and severity with their sources', () => {
    const { report } = scan([affected('CVE-2026-0001', '1.2.9-r0')]);
    expect(report.packages).toMatchObject([{ ecosystem: 'Alpine:v3.20', name: 'musl', version: '1.2.2-r0' }]);
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
