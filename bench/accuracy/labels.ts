import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_TYPES } from '../../src/model/inventory.ts';
import { type ListedFinding, type ListedPackage, listed, packageKey } from './facts.ts';

/** What is known to be so about one vulnerability of one package of one image, and why. */
export interface Label {
  readonly package: ListedPackage;
  readonly id: string;
  readonly affected: boolean;
  readonly reason: string;
}

const FOLDER = join(import.meta.dirname, 'labels');

/** Labels by image: `labels/IMAGE.tsv` with the columns type, name, version, id, affected (yes, no), reason. */
export function readLabels(): ReadonlyMap<string, readonly Label[]> {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.tsv'));
  return new Map(files.map((name) => [name.slice(0, -'.tsv'.length), labelsOf(join(FOLDER, name))]));
}

function labelsOf(path: string): readonly Label[] {
  const [, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line, at) => {
    const [word, name = '', version = '', id = '', affected, reason = ''] = line.split('\t');
    const type = PACKAGE_TYPES.find((one) => one === word);
    if (!type || id === '' || reason === '' || (affected !== 'yes' && affected !== 'no'))
      throw new Error(`${path}: line ${at + 2} is no label`);
    return { package: listed(type, name, version), id, affected: affected === 'yes', reason };
  });
}

/** How a tool's findings stand to the labels of an image. Packages without any label are left out of the count. */
export interface Score {
  readonly right: number;
  readonly missed: readonly Label[];
  readonly wrong: readonly Label[];
  /** Reported about a labelled package, but nobody has looked at it: counted as wrong. */
  readonly unlabelled: readonly ListedFinding[];
}

export function score(labels: readonly Label[], findings: readonly ListedFinding[]): Score {
  const reported = new Set(findings.flatMap(({ package: item, ids }) => ids.map((id) => `${packageKey(item)}\t${id}`)));
  const hits = (label: Label): boolean => reported.has(`${packageKey(label.package)}\t${label.id}`);
  const known = new Set(labels.map((label) => `${packageKey(label.package)}\t${label.id}`));
  const packages = new Set(labels.map((label) => packageKey(label.package)));
  return {
    right: labels.filter((label) => label.affected && hits(label)).length,
    missed: labels.filter((label) => label.affected && !hits(label)),
    wrong: labels.filter((label) => !label.affected && hits(label)),
    unlabelled: findings.filter(
      ({ package: item, ids }) =>
        packages.has(packageKey(item)) && !ids.some((id) => known.has(`${packageKey(item)}\t${id}`)),
    ),
  };
}

/** Harmonic mean of precision and recall. */
export function f1(right: number, missed: number, wrong: number): number {
  return right === 0 ? 0 : (2 * right) / (2 * right + missed + wrong);
}
