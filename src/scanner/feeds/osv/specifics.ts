import type { PublishedStatement } from '../advisory.ts';
import { fieldOf, type OsvAffected, propertyOf } from './schema.ts';

const MAX_BINARIES = 20_000;
const ARCHES = new Set(['aarch64', 'i386', 'i686', 'noarch', 'ppc64le', 'riscv64', 's390x', 'x86_64']);

/** Narrowings and marks of a statement. */
type Specifics = Pick<PublishedStatement, 'arches' | 'binaries' | 'malicious' | 'subscription'>;

/**
 * What the publisher of a record says about one of its packages beyond versions: the binary packages meant (Ubuntu, SUSE), the
 * architecture (Rocky Linux, in the package URL), whether the fix is sold apart (Ubuntu Pro), whether the package is malware.
 */
export function specificsOf(id: string, affected: OsvAffected): Specifics {
  const binaries = binariesOf(affected.ecosystem_specific);
  const arch = archOf(affected.package?.purl ?? '');
  return {
    ...(binaries.length > 0 ? { binaries } : {}),
    ...(arch === undefined ? {} : { arches: [arch, 'noarch'] }),
    ...(isSubscription(affected) ? { subscription: true } : {}),
    ...(id.startsWith('MAL-') ? { malicious: true } : {}),
  };
}

/** Names in `binaries`: Ubuntu lists `{binary_name, binary_version}`, SUSE maps from name to version. Sorted, each once. */
function binariesOf(specific: unknown): readonly string[] {
  const list = propertyOf(specific, 'binaries');
  if (!Array.isArray(list)) return [];
  const names = new Set<string>();
  for (const item of list.slice(0, MAX_BINARIES) as readonly unknown[]) {
    const named = fieldOf(item, 'binary_name');
    if (named !== undefined) names.add(named);
    else if (typeof item === 'object' && item !== null) for (const name of Object.keys(item)) names.add(name);
    if (names.size > MAX_BINARIES) break;
  }
  return [...names].sort();
}

/** The architecture of a package URL: `arch=aarch64`, or at the end of Rocky's `distro=rocky-linux-9-aarch64`. */
function archOf(purl: string): string | undefined {
  if (!purl.startsWith('pkg:rpm/')) return undefined;
  for (const [, key, value = ''] of purl.matchAll(/[?&](arch|distro)=([^&]*)/g)) {
    const arch = key === 'arch' ? value : value.slice(value.lastIndexOf('-') + 1);
    if (ARCHES.has(arch)) return arch;
  }
  return undefined;
}

function isSubscription({ package: pkg, ecosystem_specific: specific }: OsvAffected): boolean {
  if (!pkg?.ecosystem.startsWith('Ubuntu:')) return false;
  const availability = fieldOf(specific, 'availability') ?? '';
  return (
    pkg.ecosystem.startsWith('Ubuntu:Pro:') ||
    (/Ubuntu Pro|subscription required/i.test(availability) && !/^no subscription/i.test(availability))
  );
}
