import type { Inventory, Package } from '../model/inventory.ts';

/** Longest indexed text: three bytes a character stay below what a PostgreSQL index row can hold. */
const LONGEST_INDEXED = 600;
const LONGEST_PURL = 800;
const LONGEST_TEXT = 8192;

/**
 * An inventory whose texts every engine keeps and gives back as they are. Names in an image are foreign: without zero bytes
 * and half characters, and of bounded length, they are what they were; no real package is touched.
 */
export function storableInventory(inventory: Inventory): Inventory {
  const { distribution, packages, gaps, layers } = inventory;
  return {
    ...inventory,
    ...(distribution ? { distribution: withTexts(distribution, (text) => plain(text, LONGEST_TEXT)) } : {}),
    packages: packages.map(storablePackage),
    gaps: gaps.map((gap) => withTexts(gap, (text) => plain(text, LONGEST_TEXT))),
    ...(layers ? { layers: layers.map((layer) => withTexts(layer, (text) => plain(text, LONGEST_TEXT))) } : {}),
  };
}

function storablePackage(pkg: Package): Package {
  return {
    ...withTexts(pkg, (text) => plain(text, LONGEST_TEXT)),
    name: plain(pkg.name, LONGEST_INDEXED),
    path: plain(pkg.path, LONGEST_INDEXED),
    purl: plain(pkg.purl, LONGEST_PURL),
    ...(pkg.source
      ? { source: { name: plain(pkg.source.name, LONGEST_INDEXED), version: plain(pkg.source.version, LONGEST_TEXT) } }
      : {}),
  };
}

/** The same value with every text directly in it replaced. */
function withTexts<Value extends object>(value: Value, replace: (text: string) => string): Value {
  const entries = Object.entries(value).map(([key, member]: [string, unknown]) => [
    key,
    typeof member === 'string' ? replace(member) : member,
  ]);
  return Object.fromEntries(entries) as Value;
}

function plain(text: string, limit: number): string {
  return text.slice(0, limit).toWellFormed().replaceAll('\0', '\uFFFD');
}
