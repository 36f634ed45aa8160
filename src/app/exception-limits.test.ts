import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { severityRank } from '../model/severity.ts';
import { idsOf } from '../policy/exception-match.ts';
import { defaultPolicy } from '../policy/policy.ts';
import { inventoryOf, lookupOf, mentioningIn } from '../scanner/matcher/lookup.testing.ts';
import type { AdvisoryStatement } from '../scanner/matcher/lookup.ts';
import { matchInventory } from '../scanner/matcher/match.ts';
import { exceptionLimits } from './exception-limits.ts';

const ALPINE = 'Alpine:v3.20';
const severity = fc.constantFrom('low' as const, 'medium' as const, 'high' as const, 'critical' as const);
const severities = fc.array(fc.record({ source: fc.constantFrom('a', 'b'), severity }), { maxLength: 2 });
const statement: fc.Arbitrary<Partial<AdvisoryStatement>> = fc.record({
  advisory: fc.constantFrom('ALPINE-CVE-2024-1', 'ALPINE-CVE-2024-2', 'DSA-1-1', 'GHSA-a'),
  ids: fc.uniqueArray(fc.constantFrom('CVE-2024-1', 'CVE-2024-2', 'CVE-2024-3', 'GHSA-a', 'X-1'), {
    minLength: 1,
    maxLength: 3,
  }),
  severities,
  ranges: fc.constant([{}]),
});
const statements = fc.array(statement, { maxLength: 5 });

function limitsOver(advisories: Readonly<Record<string, readonly Partial<AdvisoryStatement>[]>>, facts = {}) {
  const database = {
    ...lookupOf(advisories, facts),
    version: 'v',
    builtAt: '',
    path: '',
    sources: [],
    keys: () => [],
    close: () => undefined,
    mentioning: mentioningIn(Object.values(advisories)),
  };
  const effective = { policy: defaultPolicy, version: 1 };
  const policies = { effectivePolicy: async () => effective, installationPolicy: async () => effective };
  return {
    database,
    limits: exceptionLimits({ policies: policies as never, advisories: { current: () => database } }),
  };
}

it('for every finding, under every id that an exception counts by, the limits know all its ids and its worst severity', async () => {
  await fc.assert(
    fc.asyncProperty(
      statements,
      statements,
      fc.dictionary(fc.constantFrom('CVE-2024-1', 'CVE-2024-2', 'GHSA-a'), fc.record({ severities })),
      async (own, ofSource, facts) => {
        const { database, limits } = limitsOver({ [`${ALPINE} p`]: own, [`${ALPINE} s`]: ofSource }, facts);
        const inventory = inventoryOf([{ name: 'p' }, { name: 'q', source: { name: 's', version: '1.0-r0' } }], {
          version: '3.20.1',
        });
        for (const finding of matchInventory(inventory, database).findings) {
          const ids = idsOf(finding);
          const known = await limits.knownAs(ids);
          for (const id of ids) {
            const { names, severity: worst = 'none' } = known.get(id) ?? {};
            expect(new Set(ids).difference(names ?? new Set()), id).toEqual(new Set());
            for (const said of finding.severities)
              expect(severityRank(worst), id).toBeGreaterThanOrEqual(severityRank(said.severity));
          }
        }
      },
    ),
  );
});

it('an advisory about several vulnerabilities does not make one of them the other', async () => {
  const { limits } = limitsOver({
    'Debian:12 p': [
      { advisory: 'DSA-1-1', ids: ['CVE-2024-1'], severities: [{ source: 'a', severity: 'low' }] },
      { advisory: 'DSA-1-1', ids: ['CVE-2024-2'], severities: [{ source: 'a', severity: 'critical' }] },
    ],
  });
  const known = await limits.knownAs(['cve-2024-1', 'dsa-1-1', 'cve-2024-9']);
  expect(known.get('cve-2024-1')).toEqual({ names: new Set(['cve-2024-1', 'dsa-1-1']), severity: 'low' });
  expect(known.get('dsa-1-1')).toEqual({
    names: new Set(['dsa-1-1', 'cve-2024-1', 'cve-2024-2']),
    severity: 'critical',
  });
  expect(known.get('cve-2024-9')).toEqual({ names: new Set(['cve-2024-9']), severity: 'unknown' });
});
