import type { StatedPackage } from '../../model.ts';

const PRINTABLE = /^[^\s\p{C}]{1,256}$/u;

/** Reads the record of one installed conda package. */
export function parseCondaMeta(content: Buffer): {
  readonly packages: readonly StatedPackage[];
  readonly problems?: readonly string[];
} {
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch {
    return { packages: [], problems: ['it is no JSON'] };
  }
  if (typeof value !== 'object' || value === null) return { packages: [], problems: ['it is no object'] };
  const { name, version, license } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof version !== 'string' || !PRINTABLE.test(name) || !PRINTABLE.test(version))
    return { packages: [], problems: ['it names no package, or no version of it'] };
  const licence = typeof license === 'string' && license !== '' ? license.slice(0, 200).toWellFormed() : undefined;
  return { packages: [{ type: 'conda', name, version, ...(licence === undefined ? {} : { licence }) }] };
}
