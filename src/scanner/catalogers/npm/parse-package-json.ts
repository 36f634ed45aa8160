import type { StatedPackage } from '../../model.ts';

/** No blanks, no control characters, no halves of characters: JSON can hold them all. */
const PRINTABLE = /^[^\s\p{C}]+$/u;

/**
 * Reads an installed package's `package.json`. Without name or version it is no package (npm makes such files for folders
 * of its own): neither a package nor a problem.
 */
export function parsePackageJson(content: Buffer): {
  readonly packages: readonly StatedPackage[];
  readonly problems?: readonly string[];
} {
  let value: unknown;
  try {
    value = JSON.parse(withoutMark(content.toString('utf8')));
  } catch {
    return { packages: [], problems: ['it is no JSON'] };
  }
  if (typeof value !== 'object' || value === null) return { packages: [], problems: ['it is no object'] };
  const { name, version, license, licenses } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '') return { packages: [] };
  if (name.length > 214 || version.length > 256 || !PRINTABLE.test(name) || !PRINTABLE.test(version))
    return { packages: [], problems: ['its name or version cannot be one'] };
  const licence = licenceOf(license) ?? choiceOf(licenses);
  return { packages: [{ type: 'npm', name, version, ...(licence === undefined ? {} : { licence }) }] };
}

function licenceOf(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value.slice(0, 200).toWellFormed();
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  return typeof type === 'string' && type !== '' ? type.slice(0, 200).toWellFormed() : undefined;
}

/** Before SPDX expressions a package listed the licences one could choose from. */
function choiceOf(value: unknown): string | undefined {
  const names = (Array.isArray(value) ? value.slice(0, 10) : [value]).flatMap((one) => licenceOf(one) ?? []);
  return names.length > 0 ? names.join(' OR ').slice(0, 200).toWellFormed() : undefined;
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
