import { inflateSync } from 'node:zlib';
import type { Executable } from '../../executables/executable.ts';
import type { FileView } from '../../file-view.ts';
import type { StatedPackage } from '../../model.ts';

const SECTION = '.dep-v0';
/** What cargo-auditable's own readers allow. */
const LONGEST_JSON = 8 * 1024 * 1024;
const MOST_PACKAGES = 20_000;
const PRINTABLE = /^[^\s\p{C}]{1,256}$/u;

/**
 * The crates that cargo-auditable wrote into a program: its own and what it was linked from, without those that only ran
 * while it was built. Undefined when there are none.
 */
export function readAuditData(
  file: FileView,
  { sections }: Executable,
): { readonly packages: readonly StatedPackage[]; readonly problems: readonly string[] } | undefined {
  const section = sections.find(({ name }) => name === SECTION);
  if (!section) return undefined;
  if (section.size > LONGEST_JSON) return { packages: [], problems: ['its list of crates is longer than is read'] };
  const json = inflated(file.read(section.at, section.size));
  const crates = json === undefined ? undefined : cratesOf(json);
  if (!crates) return { packages: [], problems: ['its list of crates cannot be read'] };
  return crates;
}

function inflated(compressed: Buffer): Buffer | undefined {
  try {
    return inflateSync(compressed, { maxOutputLength: LONGEST_JSON });
  } catch {
    return undefined;
  }
}

function cratesOf(
  json: Buffer,
): { readonly packages: readonly StatedPackage[]; readonly problems: readonly string[] } | undefined {
  let listed: unknown;
  try {
    listed = (JSON.parse(json.toString('utf8')) as { readonly packages?: unknown } | null)?.packages;
  } catch {
    return undefined;
  }
  if (!Array.isArray(listed) || listed.length > MOST_PACKAGES) return undefined;
  const crates = listed.map(crateOf);
  const odd = crates.filter((crate) => crate === 'odd').length;
  return {
    packages: crates.filter((crate): crate is StatedPackage => typeof crate === 'object'),
    problems: odd > 0 ? [`${odd} of its crates have no name or version that can be one`] : [],
  };
}

function crateOf(value: unknown): StatedPackage | 'odd' | 'for building' {
  if (typeof value !== 'object' || value === null) return 'odd';
  const { name, version, kind } = value as Record<string, unknown>;
  if (kind === 'build') return 'for building';
  if (typeof name !== 'string' || typeof version !== 'string') return 'odd';
  return PRINTABLE.test(name) && PRINTABLE.test(version) ? { type: 'cargo', name, version } : 'odd';
}
