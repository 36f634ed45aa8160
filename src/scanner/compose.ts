import type { CoverageGap, Distribution, Inventory, InventoryLayer, Package } from '../model/inventory.ts';
import { compareText } from '../oci/canonical.ts';
import { listedPackage } from './catalogers/dpkg/cataloger.ts';
import { CATALOGERS } from './catalogers/index.ts';
import { applicationFolder } from './catalogers/npm/cataloger.ts';
import { SYSTEM_FILES, type SystemFile } from './catalogers/system/cataloger.ts';
import type { CatalogerRole } from './catalogers/types.ts';
import { distributionOf, type SystemTexts } from './distribution.ts';
import { type FileNode, LayerTree, type StackedLayer } from './layers/tree.ts';
import { ANALYSER_VERSION, type StatedPackage } from './model.ts';
import { packageUrl } from './purl.ts';

const BY_NAME = new Map(CATALOGERS.map((cataloger) => [cataloger.name, cataloger]));
const MOST_GAPS = 500;
/** Of one image; no real one is near. */
const MOST_PACKAGES = 100_000;
/** Characters of all packages. */
const LONGEST_PACKAGES = 64 * 1024 * 1024;
const TOO_MANY_LINKS: CoverageGap = {
  kind: 'limit',
  message: 'symbolic links lead to each other so often that the layers could not be put together',
};
const TOO_MANY_PACKAGES: CoverageGap = {
  kind: 'limit',
  message: `it holds more packages than are kept: ${MOST_PACKAGES}, and ${LONGEST_PACKAGES} characters of names and paths`,
};

interface Found {
  readonly path: string;
  readonly file: FileNode;
}

/**
 * Puts layers, lowest first, on top of each other and gives what is in the result. Pure. Equals the inventory of the
 * flattened file system, except that packages say which layer brought them.
 */
export function composeInventory(layers: readonly StackedLayer[]): Inventory {
  const tree = new LayerTree();
  for (const [number, { evidence }] of layers.entries()) tree.apply(evidence, number);

  const identity = SYSTEM_FILES.flatMap(({ path, holds }) => {
    const file = tree.find(path);
    return file ? [{ path, file, holds }] : [];
  });
  const distribution = distributionOf(textsOf(identity));
  const files = [...tree.files()].map(([path, file]) => ({ path, file })).filter(isWanted);
  const system = files.filter(belongsToSystem(tree));
  const language = files.filter(({ file }) => roleOf(file) === 'language');
  const owned = ownedPaths(tree, system, new Set(language.map(({ path }) => lastPart(path))));
  const installed = language.filter(isInstalled(language)).filter(({ path }) => !owned.has(path));

  const counted = [...system, ...installed];
  const { packages, all } = firstPackages(counted, layers, distribution);
  const gaps = [
    ...(tree.exhausted ? [TOO_MANY_LINKS] : []),
    ...(all ? [] : [TOO_MANY_PACKAGES]),
    ...layers.flatMap(({ evidence }) => evidence.gaps),
    ...[...counted, ...identity].flatMap(problemsOf(layers)),
  ];
  const complete = !tree.exhausted && layers.every(({ evidence }) => evidence.complete);
  return {
    analyser: ANALYSER_VERSION,
    ...(distribution ? { distribution } : {}),
    packages: packages.sort(comparePackages),
    gaps: gaps.slice(0, MOST_GAPS),
    ...(layers.some(({ createdBy }) => createdBy !== undefined) ? { layers: layers.map(stepOf) } : {}),
    complete: complete && all && counted.every(wasRead),
  };
}

function textsOf(identity: readonly (Found & Pick<SystemFile, 'holds'>)[]): SystemTexts {
  const texts: { -readonly [key in keyof SystemTexts]: SystemTexts[key] } = {};
  for (const { file, holds } of identity) if (file.evidence.text !== undefined) texts[holds] ??= file.evidence.text;
  return texts;
}

function roleOf(file: FileNode): CatalogerRole | undefined {
  return BY_NAME.get(file.evidence.cataloger)?.role;
}

/**
 * Without the whole of its database nothing is sure about a system, however well the rest was read; nor about a file that by
 * its name holds packages and that nobody could read.
 */
function wasRead({ path, file }: Found): boolean {
  const { cataloger: name, unread, problems = [] } = file.evidence;
  const cataloger = BY_NAME.get(name);
  if (unread !== undefined) return cataloger?.wants(path) !== true;
  return cataloger?.role !== 'database' || problems.length === 0;
}

/** Through links a file can come to lie where its cataloger would not look. */
function isWanted({ path, file }: Found): boolean {
  const cataloger = BY_NAME.get(file.evidence.cataloger);
  return cataloger !== undefined && (cataloger.wants(path) || cataloger.sniff?.mayWant(path) === true);
}

/** Databases count where the package manager of this system would look, not those of a system inside the system. */
function belongsToSystem(tree: LayerTree): (found: Found) => boolean {
  const places = new Map(
    CATALOGERS.filter(({ role }) => role === 'database').map(({ name, places }) => [
      name,
      {
        files: new Set(places?.files.map((path) => tree.canonical(path))),
        folders: (places?.folders ?? []).map((path) => tree.canonical(`${path}/`)),
      },
    ]),
  );
  return ({ path, file }) => {
    const place = places.get(file.evidence.cataloger);
    return place !== undefined && (place.files.has(path) || place.folders.some((folder) => path.startsWith(folder)));
  };
}

/**
 * Real paths of files of these names that a package of the distribution owns: language packages there are patched under its
 * versions. A name stays what it is whatever links lead to its folder, so that few of the owned paths need to be followed.
 */
function ownedPaths(tree: LayerTree, system: readonly Found[], names: ReadonlySet<string>): ReadonlySet<string> {
  const thirdParty = new Set(system.flatMap(({ file }) => file.evidence.thirdParty ?? []));
  return new Set(
    system
      .filter(({ path }) => !thirdParty.has(listedPackage(path) ?? ''))
      .flatMap(({ file }) => file.evidence.owned ?? [])
      .filter((path) => names.has(lastPart(path)))
      .map((path) => tree.canonical(path)),
  );
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Installed packages, and applications whose modules are installed beside them. */
function isInstalled(language: readonly Found[]): (found: Found) => boolean {
  const withModules = new Set<string>();
  for (const { path } of language) {
    const at = path.indexOf('node_modules/');
    if (at === 0 || path[at - 1] === '/') withModules.add(path.slice(0, Math.max(at - 1, 0)));
  }
  return ({ path }) => {
    const folder = applicationFolder(path);
    return folder === undefined || withModules.has(folder.replace(/\/$/, ''));
  };
}

/** The packages of these files, as many as are kept of one image. */
function firstPackages(
  counted: readonly Found[],
  layers: readonly StackedLayer[],
  distribution: Distribution | undefined,
): { readonly packages: Package[]; readonly all: boolean } {
  const packages: Package[] = [];
  let length = 0;
  for (const found of counted) {
    if (packages.length + (found.file.evidence.packages ?? []).length > MOST_PACKAGES) return { packages, all: false };
    for (const pkg of packagesOf(found, layers, distribution)) {
      length += lengthOf(pkg) + lengthOf(pkg.source ?? {});
      if (length > LONGEST_PACKAGES) return { packages, all: false };
      packages.push(pkg);
    }
  }
  return { packages, all: true };
}

/** Characters of the texts directly in it. */
function lengthOf(value: object): number {
  return Object.values(value).reduce((sum: number, text) => sum + (typeof text === 'string' ? text.length : 0), 0);
}

function packagesOf(
  { path, file }: Found,
  layers: readonly StackedLayer[],
  distribution: Distribution | undefined,
): Package[] {
  const first = firstLayers(file);
  return (file.evidence.packages ?? []).map((stated) => {
    const layer = layers[first.get(keyOf(stated)) ?? file.layer]?.digest;
    const { inside, ...rest } = stated;
    const where = inside === undefined ? path : `${path}!/${inside}`;
    return { ...rest, purl: packageUrl(stated, distribution), path: where, ...(layer ? { layer } : {}) };
  });
}

/** For every package of a database: the lowest layer from which on, without a break, it has been in it. */
function firstLayers(file: FileNode): ReadonlyMap<string, number> {
  const first = new Map((file.evidence.packages ?? []).map((stated) => [keyOf(stated), file.layer]));
  let still = new Set(first.keys());
  for (const { evidence, layer } of file.before) {
    const keys = new Set((evidence.packages ?? []).map(keyOf));
    still = still.intersection(keys);
    if (still.size === 0) break;
    for (const key of still) first.set(key, layer);
  }
  return first;
}

function keyOf({ name, version, arch, inside }: StatedPackage): string {
  return [name, version, arch, inside].join(' ');
}

function stepOf({ digest, createdBy }: StackedLayer): InventoryLayer {
  return { ...(digest ? { digest } : {}), ...(createdBy === undefined ? {} : { createdBy }) };
}

function problemsOf(layers: readonly StackedLayer[]): (found: Found) => CoverageGap[] {
  return ({ path, file }) => {
    const layer = layers[file.layer]?.digest;
    const where = { path, ...(layer ? { layer } : {}) };
    const { problems = [], unread } = file.evidence;
    return [
      ...(unread ? [{ ...unread, ...where }] : []),
      ...problems.map((problem) => ({ kind: 'malformed-entry', ...where, message: `${path}: ${problem}` }) as const),
    ];
  };
}

function comparePackages(a: Package, b: Package): number {
  return (
    compareText(a.type, b.type) ||
    compareText(a.name, b.name) ||
    compareText(a.version, b.version) ||
    compareText(a.path, b.path) ||
    compareText(a.arch ?? '', b.arch ?? '')
  );
}
