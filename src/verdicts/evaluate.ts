import type { Coverage } from '../model/coverage.ts';
import type { Finding } from '../model/finding.ts';
import { type Inventory, SYSTEM_PACKAGE_TYPES } from '../model/inventory.ts';
import type { InventoryFacts } from '../policy/judge-input.ts';
import type { AdvisoryDatabase } from '../scanner/advisories/types.ts';
import { distributionEcosystem } from '../scanner/matcher/ecosystem.ts';
import type { AdvisoryLookup } from '../scanner/matcher/lookup.ts';
import { createMatcher } from '../scanner/matcher/match.ts';
import type { Copies } from '../scanner/matcher/package-copies.ts';
import { endOfLife } from '../scanner/support-dates.ts';

/** What the advisories say about an inventory, and how far that answer reaches. */
export interface Evaluation {
  readonly findings: readonly Finding[];
  readonly coverage: Coverage;
}

const NOTHING_KNOWN: AdvisoryLookup = {
  sourcesOf: () => [],
  ecosystemsUnder: () => [],
  advisoriesFor: () => [],
  vulnerability: () => undefined,
};

/** What was found out about packages lives as long as the database it came from. */
const matchers = new WeakMap<AdvisoryLookup, ReturnType<typeof createMatcher>>();

function matcherOf(database: AdvisoryLookup): ReturnType<typeof createMatcher> {
  const known = matchers.get(database) ?? createMatcher(database);
  matchers.set(database, known);
  return known;
}

/**
 * Matches an inventory with a database, or with none: then every ecosystem in it is reported as missing. `copies` are its
 * packages, where it is known that none is a copy of another.
 */
export function evaluate(
  inventory: Inventory,
  database: AdvisoryDatabase | undefined,
  copies?: readonly Copies[],
): Evaluation {
  const { findings, sources, missing, gaps } = matcherOf(database ?? NOTHING_KNOWN)(inventory, copies);
  const { distribution } = inventory;
  const lastDay = endOfLife(distribution);
  const name = distribution?.prettyName ?? [distribution?.id, distribution?.version].filter(Boolean).join(' ');
  return {
    findings,
    coverage: {
      distribution: {
        recognised: distributionEcosystem(distribution) !== undefined,
        ...(distribution === undefined ? {} : { name, rolling: distribution.rolling }),
        ...(lastDay === undefined ? {} : { endOfLife: lastDay }),
      },
      gaps: [...inventory.gaps, ...gaps],
      sources,
      missing,
      ...(database === undefined ? {} : { database: { version: database.version, builtAt: database.builtAt } }),
    },
  };
}

/** What judging needs to know of an inventory. */
export function inventoryFacts(hash: string, inventory: Inventory): InventoryFacts {
  return {
    hash,
    complete: inventory.complete,
    ...(inventory.distribution ? { distribution: inventory.distribution } : {}),
    distributionPackages: countSystemPackages(inventory),
    gaps: inventory.gaps,
  };
}

function countSystemPackages({ packages }: Inventory): number {
  let [count, type, isSystem] = [0, '', false];
  for (const pkg of packages) {
    if (pkg.type !== type) {
      type = pkg.type;
      isSystem = SYSTEM_PACKAGE_TYPES.has(pkg.type);
    }
    if (isSystem) count += 1;
  }
  return count;
}
