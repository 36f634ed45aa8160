import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Package } from '../../model/inventory.ts';
import { inventoryOf, lookupOf } from './lookup.testing.ts';
import type { AdvisoryStatement } from './lookup.ts';
import { createMatcher, matchInventory } from './match.ts';

const id = fc.constantFrom('CVE-2024-0001', 'CVE-2024-0002', 'GHSA-a', 'GHSA-b', 'X-1', 'X-2');
const version = fc.constantFrom('1.0-1', '1.1-1', '2.0-1', '3.0-1', '1:1.0-1');
const bound = fc.option(version, { nil: undefined });
const statement: fc.Arbitrary<Partial<AdvisoryStatement>> = fc
  .record({
    ids: fc.uniqueArray(id, { minLength: 1, maxLength: 3 }),
    ranges: fc.array(fc.record({ introduced: bound, fixed: bound }), { maxLength: 2 }),
    versions: fc.array(version, { maxLength: 1 }),
    status: fc.constantFrom(undefined, 'will_not_fix' as const, 'under_investigation' as const),
    module: fc.constantFrom(undefined, undefined, 'm:1', 'm:2'),
    binaries: fc.constantFrom(undefined, undefined, ['p'], ['q']),
    never: fc.constantFrom(undefined, undefined, undefined, true as const),
    severities: fc.array(
      fc.record({ source: fc.constantFrom('a', 'b'), severity: fc.constantFrom('low' as const, 'high' as const) }),
      { maxLength: 2 },
    ),
  })
  .map((parts) => JSON.parse(JSON.stringify(parts)) as Partial<AdvisoryStatement>);
const statements = fc.array(statement, { maxLength: 6 });
const pkg: fc.Arbitrary<Partial<Package>> = fc
  .record({
    name: fc.constantFrom('p', 'q'),
    version,
    path: fc.constantFrom('a', 'b'),
    module: fc.constantFrom(undefined, undefined, 'm:1'),
    source: fc.constantFrom(undefined, { name: 's', version: '1.0-1' }),
  })
  .map((parts) => ({ type: 'rpm', ...(JSON.parse(JSON.stringify(parts)) as Partial<Package>) }));
const packages = fc.array(pkg, { minLength: 1, maxLength: 4 });
const rocky = { id: 'rocky', version: '9' };
const rhel = { id: 'rhel', version: '9' };

const lookup = (own: readonly Partial<AdvisoryStatement>[], ofSource: readonly Partial<AdvisoryStatement>[] = []) =>
  lookupOf({ 'Rocky Linux:9 p': own, 'Rocky Linux:9 q': own, 'Rocky Linux:9 s': ofSource });
const find = (installed: readonly Partial<Package>[], advisories: ReturnType<typeof lookup>) =>
  matchInventory(inventoryOf(installed, rocky), advisories).findings;
const keysOf = (findings: ReturnType<typeof find>) =>
  findings.flatMap(({ id: canonical, aliases, package: { name, version: installed, module } }) =>
    [canonical, ...aliases].map((alias) => `${alias} ${name} ${installed} ${module}`),
  );

const packagesOf = (keys: readonly string[]) => new Set(keys.map((key) => key.slice(key.indexOf(' '))));

describe('laws of matching', () => {
  it('the order of statements and of packages does not matter', () => {
    fc.assert(
      fc.property(packages, statements, statements, (installed, own, ofSource) => {
        const found = find(installed, lookup(own, ofSource));
        expect(find(installed.toReversed(), lookup(own.toReversed(), ofSource.toReversed()))).toEqual(found);
      }),
    );
  });

  it('matching twice is equal, also with what the first time left behind', () => {
    fc.assert(
      fc.property(packages, packages, statements, (first, second, own) => {
        const match = createMatcher(lookup(own));
        const [one, two] = [inventoryOf(first, rocky), inventoryOf(second, rocky)];
        expect([match(one), match(two), match(one)]).toEqual(
          [one, two, one].map((inventory) => matchInventory(inventory, lookup(own))),
        );
      }),
    );
  });

  it('a vulnerability is reported once for a package, under one id', () => {
    fc.assert(
      fc.property(packages, statements, (installed, own) => {
        const keys = keysOf(find(installed, lookup(own)));
        // A package with and without its source named is two packages of one name.
        const perPackage = installed.some(({ source }) => source) ? [] : keys;
        expect(new Set(perPackage).size).toBe(perPackage.length);
      }),
    );
  });

  it('a negative statement more only removes', () => {
    fc.assert(
      fc.property(packages, statements, statement, (installed, own, negative) => {
        const before = keysOf(find(installed, lookup(own)));
        const after = keysOf(find(installed, lookup([...own, { ...negative, never: true, ranges: [], versions: [] }])));
        expect(packagesOf(after).isSubsetOf(packagesOf(before))).toBe(true);
        // Its ids may join rows; those that were reported and still are were reported before.
        const known = new Set(negative.ids);
        expect(after.filter((key) => !known.has(key.split(' ')[0] ?? '')).every((key) => before.includes(key))).toBe(
          true,
        );
      }),
    );
  });

  it('several ecosystems say what each of them says', () => {
    fc.assert(
      fc.property(
        pkg,
        fc.array(statement.filter(({ never, module }) => !never && module === undefined)),
        (one, all) => {
          const half = all.length >> 1;
          const parts = [all.slice(0, half), all.slice(half)] as const;
          const red = (list: readonly (readonly Partial<AdvisoryStatement>[])[]) =>
            keysOf(
              matchInventory(
                inventoryOf([one], rhel),
                lookupOf(
                  Object.fromEntries(
                    list.map((own, number) => [
                      `Red Hat:enterprise_linux:9${number ? '::baseos' : ''} ${one.name}`,
                      own,
                    ]),
                  ),
                ),
              ).findings,
            );
          expect(new Set(red(parts))).toEqual(new Set(red([all])));
        },
      ),
    );
  });

  it('a version inside no range has no finding', () => {
    fc.assert(
      fc.property(pkg, statements, (one, own) => {
        const outside = own.map((entry) => ({
          ...entry,
          versions: [],
          ranges: [{ introduced: '9:9-9', fixed: '9:9-10' }],
        }));
        expect(find([one], lookup(outside, outside))).toEqual([]);
      }),
    );
  });
});
