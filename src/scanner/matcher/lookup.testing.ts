import type { Distribution, Inventory, Package } from '../../model/inventory.ts';
import type { AdvisoryLookup, AdvisoryStatement, VulnerabilityFacts } from './lookup.ts';

/** A lookup over plain values, for tests: statements by `ecosystem name`, facts by id, complete unless named a sample. */
export function lookupOf(
  statements: Readonly<Record<string, readonly Partial<AdvisoryStatement>[]>>,
  facts: Readonly<Record<string, Partial<VulnerabilityFacts>>> = {},
  samples: readonly string[] = [],
): AdvisoryLookup {
  const ecosystems = new Set(Object.keys(statements).map((key) => key.slice(0, key.lastIndexOf(' '))));
  return {
    ecosystemsUnder: (prefix) => [...ecosystems].filter((ecosystem) => ecosystem.startsWith(prefix)),
    sourcesOf: (ecosystem) =>
      ecosystems.has(ecosystem)
        ? [{ ecosystem, feed: 'test', completeness: samples.includes(ecosystem) ? 'sample' : 'complete', records: 1 }]
        : [],
    advisoriesFor: (ecosystem, name) => (statements[`${ecosystem} ${name}`] ?? []).map(statementOf),
    vulnerability: (id) => (facts[id] === undefined ? undefined : { severities: [], ...facts[id] }),
  };
}

/** What an advisory database gives of these statements for ids, in capitals or not. */
export function mentioningIn(statements: Iterable<readonly Partial<AdvisoryStatement>[]>) {
  const all = [...statements].flat().map(statementOf);
  return async function* mentioning(ids: readonly string[]): AsyncGenerator<AdvisoryStatement> {
    const wanted = new Set(ids.map((id) => id.toLowerCase()));
    for (const statement of all)
      if ([statement.advisory, ...statement.ids].some((id) => wanted.has(id.toLowerCase()))) yield statement;
  };
}

function statementOf(part: Partial<AdvisoryStatement>): AdvisoryStatement {
  const advisory = part.advisory ?? part.ids?.[0] ?? 'X-1';
  return { advisory, ids: [advisory], feed: 'test', ranges: [], versions: [], severities: [], ...part };
}

export function inventoryOf(packages: readonly Partial<Package>[], distribution?: Partial<Distribution>): Inventory {
  return {
    analyser: 'test',
    packages: packages.map((pkg) => ({ type: 'apk', name: 'p', version: '1.0-r0', purl: '', path: 'db', ...pkg })),
    gaps: [],
    complete: true,
    ...(distribution === undefined
      ? {}
      : { distribution: { id: 'alpine', idLike: [], rolling: false, ...distribution } }),
  };
}
