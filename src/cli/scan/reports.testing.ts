import fc from 'fast-check';
import type { Inventory } from '../../model/inventory.ts';
import type { AdvisoryDatabase } from '../../scanner/advisories/index.ts';
import { lookupOf, mentioningIn } from '../../scanner/matcher/lookup.testing.ts';
import type { AdvisoryStatement, VulnerabilityFacts } from '../../scanner/matcher/lookup.ts';
import { hostileFindings, hostileInventory, hostileText } from '../../scanner/sbom-write/arbitrary.testing.ts';
import type { FinishedScan } from './forms.ts';
import { type IgnoreFile, lineFor } from './ignore-file.ts';
import { judgeScan, type ReportedFinding, type ReportInput } from './report.ts';

export const NOW = Date.parse('2026-03-11T00:00:00Z');

type Statements = Readonly<Record<string, readonly Partial<AdvisoryStatement>[]>>;

/** A database over plain values, built two days before `NOW`. */
export function databaseOf(
  statements: Statements,
  facts: Readonly<Record<string, Partial<VulnerabilityFacts>>> = {},
  samples: readonly string[] = [],
): AdvisoryDatabase {
  return {
    ...lookupOf(statements, facts, samples),
    version: `sha256:${'1'.repeat(64)}`,
    builtAt: '2026-03-09T00:00:00Z',
    path: '',
    sources: [],
    keys: () => [],
    mentioning: mentioningIn(Object.values(statements)),
    close: () => undefined,
  };
}

/** A scan of an image that holds exactly this. */
export function scanOf(
  inventory: Inventory,
  database: AdvisoryDatabase,
  options: Partial<ReportInput> = {},
  name = 'image.tar',
): FinishedScan {
  const target = { name, repository: '', subject: { kind: 'image', name } as const, inventory };
  return { ...judgeScan({ target, database, failOn: 'off', now: NOW, ...options }), target, now: NOW };
}

/** Scans of images made by somebody who wants to deceive their readers. */
export const hostileScan: fc.Arbitrary<FinishedScan> = fc
  .tuple(hostileInventory, hostileText)
  .chain(([inventory, name]) =>
    hostileFindings(inventory.packages).map((findings) => {
      const scan = scanOf(inventory, databaseOf({}), {}, name);
      const ignoreFile: IgnoreFile = { path: name, lines: [{ line: 1, id: 'CVE-2026-0002', reason: name }] };
      const reported = findings.map(
        ({ package: { name: pkg, purl, path, layer }, source: _source, ...finding }): ReportedFinding => ({
          ...finding,
          package: pkg,
          purl,
          path,
          ...(layer === undefined ? {} : { layer }),
          severity: finding.severities[0]?.severity ?? 'unknown',
        }),
      );
      const withAside = reported.map((one, at) => {
        const found = findings[at] && lineFor(findings[at], ignoreFile, NOW);
        return found
          ? { ...one, setAside: { by: 'ignore-file' as const, document: name, line: 1, reason: name } }
          : one;
      });
      return { ...scan, findings, report: { ...scan.report, findings: withAside } };
    }),
  );
