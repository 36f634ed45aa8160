import { listOf, memberOf, parseJson, textOf } from '../../foreign-json.ts';
import type { StatedPackage } from '../../model.ts';

const NAME = /^[a-z0-9][a-z0-9_.-]*\/[a-z0-9][a-z0-9_.-]*$/i;
const VERSION = /^[^\s\p{C}]{1,200}$/u;
const MOST_PACKAGES = 20_000;

/**
 * Reads what Composer keeps of what it has installed: `installed.json`, a list (Composer 1) or an object with `packages`
 * (Composer 2). Versions without the `v` of a tag. Packages that only replace or provide others are no packages.
 */
export function parseInstalled(bytes: Buffer): {
  readonly packages: readonly StatedPackage[];
  readonly problems?: readonly string[];
} {
  const value = parseJson(bytes);
  if (typeof value !== 'object' || value === null) return { packages: [], problems: ['it is no JSON of Composer'] };
  const entries = Array.isArray(value) ? value : listOf(memberOf(value, 'packages'));
  const packages = entries.slice(0, MOST_PACKAGES).flatMap((entry) => packageOf(entry) ?? []);
  const passed = entries.length - packages.length;
  return { packages, ...(passed === 0 ? {} : { problems: [`${passed} entries are no packages`] }) };
}

function packageOf(entry: unknown): StatedPackage | undefined {
  const name = textOf(memberOf(entry, 'name')) ?? '';
  const version = (textOf(memberOf(entry, 'version')) ?? '').replace(/^[vV](?=\d)/, '');
  if (name.length > 200 || !NAME.test(name) || !VERSION.test(version)) return undefined;
  const licence = listOf(memberOf(entry, 'license'))
    .flatMap((text) => textOf(text) ?? [])
    .join(' OR ')
    .slice(0, 200)
    .toWellFormed();
  return { type: 'composer', name, version, ...(licence === '' ? {} : { licence }) };
}
