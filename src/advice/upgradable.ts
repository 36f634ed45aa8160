import type { Distribution, InventoryLayer, Package, PackageType } from '../model/inventory.ts';
import { compareText } from '../oci/canonical.ts';
import { packageUrl } from '../scanner/purl.ts';

/** What one upgrades in one go: a package in all places, or all that is built from one source of the distribution. */
export interface Upgradable {
  readonly key: string;
  readonly type: PackageType;
  /** Of the source where there is one: `openssl` also for `libssl3`. */
  readonly name: string;
  readonly installed: string;
  readonly module?: string;
  /** Every package of it in the image, copies included. */
  readonly packages: readonly Package[];
}

/** Where it lies, and the build step that brought it there. */
export interface Place {
  readonly path: string;
  readonly layer?: string;
  /** As the image's history tells it. */
  readonly step?: string;
}

/** Types whose packages are built from a source and come with everything else that is. */
const BY_SOURCE: ReadonlySet<PackageType> = new Set(['apk', 'deb', 'rpm']);

/** Text that packages share exactly when they are upgraded together. */
export function upgradableKey(pkg: Package): string {
  return [pkg.type, nameOf(pkg), installedOf(pkg), pkg.module].join('\n');
}

/** Those packages of an image that are upgraded together with these, by key. */
export function upgradablesOf(
  packages: readonly Package[],
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, Upgradable> {
  const found = new Map<string, Package[]>();
  for (const pkg of packages) {
    const key = upgradableKey(pkg);
    if (!wanted.has(key)) continue;
    const known = found.get(key);
    if (known) known.push(pkg);
    else found.set(key, [pkg]);
  }
  return new Map(
    [...found].map(([key, own]) => {
      const [first] = own as [Package];
      const { type, module } = first;
      const named = { name: nameOf(first), installed: installedOf(first), ...(module === undefined ? {} : { module }) };
      return [key, { key, type, ...named, packages: own }];
    }),
  );
}

/** The package as it would be with the version that its upgradable is brought to. */
export function upgradedTo(pkg: Package, version: string, distribution: Distribution | undefined): Package {
  const { source } = pkg;
  const next = {
    ...pkg,
    version,
    ...(source ? { source: { ...source, version: sourceVersion(pkg, source, version) } } : {}),
  };
  return { ...next, purl: packageUrl(next, distribution) };
}

/** Places of packages, each once, by path; with the step of the layer where the image's history tells. */
export function placesOf(packages: readonly Package[], layers: readonly InventoryLayer[] = []): readonly Place[] {
  const steps = new Map(layers.map(({ digest, createdBy }) => [digest, createdBy]));
  const places = new Map<string, Place>();
  for (const { path, layer } of packages) {
    const step = layer === undefined ? undefined : steps.get(layer);
    const place = { path, ...(layer === undefined ? {} : { layer }), ...(step === undefined ? {} : { step }) };
    places.set(`${layer} ${path}`, place);
  }
  return [...places.values()].sort((a, b) => compareText(a.path, b.path));
}

function nameOf({ type, name, source }: Package): string {
  return BY_SOURCE.has(type) ? (source?.name ?? name) : name;
}

/** Debian numbers sources; a rebuilt binary has a version of its own that no advisory speaks of. */
function installedOf({ type, version, source }: Package): string {
  return type === 'deb' ? (source?.version ?? version) : version;
}

function sourceVersion({ type, version }: Package, source: NonNullable<Package['source']>, next: string): string {
  if (type === 'deb' || source.version === version) return next;
  // SOURCERPM has no epoch. A source of another version than its package says nothing of the next.
  return source.version === withoutEpoch(version) ? withoutEpoch(next) : source.version;
}

function withoutEpoch(version: string): string {
  return version.replace(/^\d+:/, '');
}
