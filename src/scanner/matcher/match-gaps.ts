import { type CoverageGap, type Inventory, type Package, SYSTEM_PACKAGE_TYPES } from '../../model/inventory.ts';
import type { VersionScheme } from '../versions/index.ts';

/** Lines about single packages; the others are counted. */
const MOST_LINES = 200;
const NAMED = 5;

/** Why advisories say nothing about a package, however well its ecosystem is covered. */
type Reason = 'third-party' | 'no-version';

const SENTENCES: Readonly<Record<Reason, string>> = {
  'third-party': 'built by somebody else than the distribution, whose advisories do not cover them',
  'no-version': 'without a version that advisories could be compared with',
};

/** Why a package cannot be covered by its ecosystem's advisories; undefined for nearly all. */
export function uncoverable({ type, version, thirdParty }: Package): Reason | undefined {
  if (thirdParty && SYSTEM_PACKAGE_TYPES.has(type)) return 'third-party';
  // A Go program built outside of a module proxy does not know its own version.
  if (version === '' || (type === 'golang' && version === '(devel)')) return 'no-version';
  return undefined;
}

/** One line for each reason that packages are not covered for, with how many and the first of them. */
export function uncoveredLines(packages: readonly { readonly pkg: Package; readonly reason: Reason }[]): CoverageGap[] {
  return [...Map.groupBy(packages, ({ reason }) => reason)]
    .sort(([a], [b]) => Number(a > b) - Number(a < b))
    .map(([reason, list]) => {
      const names = [...new Set(list.map(({ pkg }) => pkg.name))];
      const more = names.length > NAMED ? ', …' : '';
      const count = names.length === 1 ? '1 package is' : `${names.length} packages are`;
      return {
        kind: 'not-covered',
        message: `${count} ${SENTENCES[reason]}: ${names.slice(0, NAMED).join(', ')}${more}`,
      };
    });
}

/** A version that no advisory could be compared with, though there are some for the package. */
export function incomparable(pkg: Package, version: string, scheme: VersionScheme): CoverageGap {
  return {
    kind: 'malformed-entry',
    path: pkg.path,
    ...(pkg.layer === undefined ? {} : { layer: pkg.layer }),
    message: `${pkg.name}: ${JSON.stringify(version)} is no ${scheme} version, so its advisories could not be compared`,
  };
}

/** The lines of a report, so many and no more. */
export function boundedLines(gaps: readonly CoverageGap[]): readonly CoverageGap[] {
  if (gaps.length <= MOST_LINES) return gaps;
  const more = gaps.length - MOST_LINES;
  return [
    ...gaps.slice(0, MOST_LINES),
    { kind: 'malformed-entry', message: `${more} more packages have versions that could not be compared` },
  ];
}

/** What packages are that no ecosystem stands for. */
export function describeUnknown({ type }: Package, { distribution }: Inventory): string {
  if (!SYSTEM_PACKAGE_TYPES.has(type)) return `${type} packages`;
  const name = distribution?.prettyName ?? [distribution?.id, distribution?.version].filter(Boolean).join(' ');
  return name ? `${type} packages of ${name}` : `${type} packages of an unknown distribution`;
}
