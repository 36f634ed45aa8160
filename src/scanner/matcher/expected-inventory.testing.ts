import { readFileSync } from 'node:fs';
import { dataPath } from '../../../test/support/data.ts';
import type { Distribution, Inventory, Package } from '../../model/inventory.ts';

/** Inventory of an image of the test data from the package list that an independent tool made of it. */
export function expectedInventory(
  list: string,
  type: Package['type'],
  distribution?: Partial<Distribution>,
): Inventory {
  return {
    analyser: 'expected',
    packages: rowsOf(dataPath('images/expected', list)).map((row) => packageOf(row, type)),
    gaps: [],
    complete: true,
    ...(distribution === undefined
      ? {}
      : { distribution: { id: 'none', idLike: [], rolling: false, ...distribution } }),
  };
}

function packageOf(row: Readonly<Record<string, string>>, type: Package['type']): Package {
  const { name = '', version = '', origin, source, source_version: sourceVersion, path = 'database' } = row;
  const sourceName = origin ?? source;
  return {
    type,
    name,
    version,
    purl: `pkg:${type}/${name}@${version}`,
    path,
    ...(sourceName === undefined ? {} : { source: { name: sourceName, version: sourceVersion ?? version } }),
  };
}

function rowsOf(path: string): readonly Readonly<Record<string, string>>[] {
  const [header = '', ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const names = header.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, i) => [names[i] ?? '', value])));
}
