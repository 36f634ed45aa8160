import { type ListedFinding, type ListedPackage, packageKey } from './facts.ts';

/** How two lists meet. */
export interface Agreement<Item> {
  readonly both: number;
  readonly onlyOurs: readonly Item[];
  readonly onlyTheirs: readonly Item[];
}

/** Packages by name and version, each once. */
export function comparePackages(
  ours: readonly ListedPackage[],
  theirs: readonly ListedPackage[],
): Agreement<ListedPackage> {
  const [left, right] = [byKey(ours), byKey(theirs)];
  return {
    both: [...left.keys()].filter((key) => right.has(key)).length,
    onlyOurs: [...left].filter(([key]) => !right.has(key)).map(([, item]) => item),
    onlyTheirs: [...right].filter(([key]) => !left.has(key)).map(([, item]) => item),
  };
}

function byKey(packages: readonly ListedPackage[]): ReadonlyMap<string, ListedPackage> {
  return new Map(packages.map((item) => [packageKey(item), item]));
}

/** Findings on the same package that share an id are the same; each counts once. */
export function compareFindings(
  ours: readonly ListedFinding[],
  theirs: readonly ListedFinding[],
): Agreement<ListedFinding> {
  const [left, right] = [merge(ours), merge(theirs)];
  const [leftIds, rightIds] = [idsOf(left), idsOf(right)];
  const onlyOurs = left.filter((finding) => !meets(finding, rightIds));
  return {
    both: left.length - onlyOurs.length,
    onlyOurs,
    onlyTheirs: right.filter((finding) => !meets(finding, leftIds)),
  };
}

/** The same vulnerability of the same package in several places is one. */
function merge(findings: readonly ListedFinding[]): readonly ListedFinding[] {
  return [
    ...new Map(findings.map((finding) => [`${packageKey(finding.package)}\t${finding.ids[0]}`, finding])).values(),
  ];
}

function idsOf(findings: readonly ListedFinding[]): ReadonlySet<string> {
  return new Set(findings.flatMap(({ package: item, ids }) => ids.map((id) => `${packageKey(item)}\t${id}`)));
}

function meets({ package: item, ids }: ListedFinding, known: ReadonlySet<string>): boolean {
  return ids.some((id) => known.has(`${packageKey(item)}\t${id}`));
}
