import fc from 'fast-check';
import type { Finding } from '../../model/finding.ts';
import { type Inventory, PACKAGE_TYPES, type Package } from '../../model/inventory.ts';
import { SEVERITIES } from '../../model/severity.ts';
import { digestOf } from '../../oci/digest.ts';
import type { SbomFinding, SbomInput } from './input.ts';

/** Texts as the worst images hold them. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    'openssl',
    '\u001b[2J\u001b[31mred',
    'a\r\nb',
    '</script><script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    '\u202egnp.exe',
    '\ud800half',
    '\udfff',
    '\0',
    '__proto__',
    'constructor',
    'x'.repeat(100_000),
    '%00%zz',
    'a b',
    'pkg:npm/x@1',
    '木\u{1f600}',
    'GPL-2.0-only WITH Classpath-exception-2.0',
    '('.repeat(5000),
  ),
  fc.string({ unit: 'binary' }),
);

const digest = fc.string().map((text) => digestOf(text));

const pkg: fc.Arbitrary<Package> = fc.record(
  {
    type: fc.constantFrom(...PACKAGE_TYPES),
    name: hostileText,
    version: hostileText,
    purl: hostileText,
    path: hostileText,
    arch: hostileText,
    source: fc.record({ name: hostileText, version: hostileText }),
    module: hostileText,
    thirdParty: fc.constant(true as const),
    layer: digest,
    licence: hostileText,
  },
  { requiredKeys: ['type', 'name', 'version', 'purl', 'path'] },
);

/** Inventories of foreign texts in every member. */
export const hostileInventory: fc.Arbitrary<Inventory> = fc.record(
  {
    analyser: fc.constant('breakwater/3'),
    packages: fc.array(pkg, { maxLength: 6 }),
    distribution: fc.record(
      {
        id: hostileText,
        version: hostileText,
        prettyName: hostileText,
        idLike: fc.array(hostileText, { maxLength: 2 }),
        rolling: fc.boolean(),
      },
      { requiredKeys: ['id', 'idLike', 'rolling'] },
    ),
    gaps: fc.array(fc.record({ kind: fc.constant('limit' as const), message: hostileText }), { maxLength: 3 }),
    layers: fc.array(fc.record({ digest, createdBy: hostileText }, { requiredKeys: [] }), { maxLength: 3 }),
    complete: fc.boolean(),
  },
  { requiredKeys: ['analyser', 'packages', 'gaps', 'complete'] },
);

/** Findings on packages of an inventory. */
export function hostileFindings(packages: readonly Package[]): fc.Arbitrary<readonly Finding[]> {
  if (packages.length === 0) return fc.constant([]);
  const statement = fc.record(
    {
      source: hostileText,
      severity: fc.constantFrom(...SEVERITIES),
      score: fc.double({ min: 0, max: 10, noNaN: true }),
      vector: fc.oneof(hostileText, fc.constantFrom('CVSS:3.1/AV:N/AC:L', 'AV:N/AC:L/Au:N/C:P/I:P/A:P')),
    },
    { requiredKeys: ['source', 'severity'] },
  );
  const finding = fc
    .record(
      {
        id: fc.oneof(hostileText, fc.constantFrom('CVE-2026-0001', 'CVE-2026-0002', 'GHSA-aaaa-bbbb-cccc')),
        aliases: fc.array(hostileText, { maxLength: 2 }),
        package: fc.constantFrom(...packages),
        fixed: hostileText,
        status: fc.constantFrom('affected' as const, 'will_not_fix' as const),
        severities: fc.array(statement, { maxLength: 3 }),
        kev: fc.oneof(hostileText, fc.constant('2026-01-01')),
        epss: fc.record({ probability: fc.double({ min: 0, max: 1, noNaN: true }), percentile: fc.constant(0.5) }),
        published: fc.oneof(hostileText, fc.constant('2026-01-01T00:00:00Z')),
        advisories: fc.array(hostileText, { maxLength: 2 }),
        source: hostileText,
      },
      { requiredKeys: ['id', 'aliases', 'package', 'status', 'severities', 'advisories', 'source'] },
    )
    .map((one) => ({ ...one, installed: one.package.version }));
  return fc.array(finding, { maxLength: 6 });
}

/** Everything a bill of materials is made of. */
export const hostileSbomInput: fc.Arbitrary<SbomInput> = hostileInventory.chain((inventory) =>
  fc.record({
    subject: fc.record(
      {
        kind: fc.constantFrom('image', 'folder', 'document'),
        name: hostileText,
        digest,
        repository: hostileText,
        tag: hostileText,
      },
      { requiredKeys: ['kind', 'name'] },
    ),
    inventory: fc.constant(inventory),
    version: fc.constant('0.1.0'),
    now: fc.constant(Date.parse('2026-11-25T12:00:00Z')),
    findings: hostileFindings(inventory.packages).map((findings) =>
      findings.map(
        (finding, at): SbomFinding => ({
          finding,
          ...(at % 3 === 2 ? { setAside: finding.id } : {}),
        }),
      ),
    ),
  }),
);
