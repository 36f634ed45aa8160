import * as fc from 'fast-check';
import { dataPath } from '../../support/data.ts';
import { membersOf } from './zip.ts';

export type Pair = readonly [string, string];

const PAIRS = 10_000;
const SEED = 20_261_125;
const ORDERABLE = /^[\x21-\x7e]+$/;

/**
 * Pairs of generated versions; with `near`, the second of every third pair is the first with a character put in, gone or
 * another, which may well be no version.
 */
export function generatedPairs(version: fc.Arbitrary<string>, near: boolean): readonly Pair[] {
  const both = fc.tuple(version, version);
  const change = fc
    .tuple(version, fc.nat(30), fc.constantFrom('', '.', '-', '0', '1', 'a'), fc.boolean())
    .map(([text, at, other, replace]): Pair => {
      const i = at % (text.length + 1);
      return [text, `${text.slice(0, i)}${other}${text.slice(replace ? i + 1 : i)}`.trim() || '1'];
    });
  return sample(near ? fc.oneof({ weight: 2, arbitrary: both }, change) : both);
}

/** Pairs of versions that advisories name: half of them of one package, half of any two. All pairs where there are few versions. */
export function realPairs(packages: readonly (readonly string[])[]): readonly Pair[] {
  const all = [...new Set(packages.flat())];
  if (all.length ** 2 < 2 * PAIRS) return all.flatMap((a) => all.map((b): Pair => [a, b]));
  const several = packages.filter((versions) => versions.length > 1);
  const ofOnePackage = fc
    .tuple(fc.constantFrom(...several), fc.nat(), fc.nat())
    .map(([list, i, j]): Pair => [list[i % list.length] ?? '', list[j % list.length] ?? '']);
  return sample(fc.oneof(ofOnePackage, fc.tuple(fc.constantFrom(...all), fc.constantFrom(...all))));
}

function sample(pair: fc.Arbitrary<Pair>): readonly Pair[] {
  const drawn = fc.sample(pair, { numRuns: 6 * PAIRS, seed: SEED });
  return [...new Map(drawn.map((both) => [both.join('\t'), both])).values()].slice(0, PAIRS);
}

interface OsvRecord {
  readonly affected?: readonly {
    readonly package?: { readonly ecosystem: string; readonly name: string };
    readonly versions?: readonly string[];
    readonly ranges?: readonly { readonly type: string; readonly events: readonly Record<string, string>[] }[];
  }[];
}

/** The versions that the OSV records of some ecosystems name for packages of theirs, by package. */
export function osvVersions(ecosystems: readonly string[]): readonly (readonly string[])[] {
  const packages = new Map<string, Set<string>>();
  for (const ecosystem of ecosystems) {
    for (const member of membersOf(dataPath('osv', ecosystem, 'all.zip'))) {
      for (const { package: pkg, versions = [], ranges = [] } of (JSON.parse(member.toString()) as OsvRecord)
        .affected ?? []) {
        if (pkg?.ecosystem.split(':')[0] !== ecosystem) continue;
        const known = packages.get(`${pkg.ecosystem} ${pkg.name}`) ?? new Set();
        packages.set(`${pkg.ecosystem} ${pkg.name}`, known);
        const events = ranges.filter(({ type }) => type !== 'GIT').flatMap((range) => range.events);
        for (const version of [...versions, ...events.flatMap((event) => Object.values(event))]) {
          if (ORDERABLE.test(version)) known.add(version);
        }
      }
    }
  }
  return [...packages.values()].map((known) => [...known]);
}
