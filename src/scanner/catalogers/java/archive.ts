import type { FileView } from '../../file-view.ts';
import type { StatedPackage } from '../../model.ts';
import type { ZipEntry, ZipLimits } from '../../zip/entry.ts';
import { openZip } from '../../zip/open-zip.ts';
import { readFileName } from './file-name.ts';
import { identify } from './identity.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { type Coordinates, parsePomProperties } from './pom-properties.ts';

/** Archives of classes, and archives of such archives. */
export const JAVA_ARCHIVE: RegExp = /\.(?:jar|war|ear|par|sar|nar|jpi|hpi|kar)$/i;

const MB = 1024 * 1024;
/** Deeper archives are named and not opened. */
const DEEPEST = 16;
/** All bytes that are unpacked out of one file on disk, at every depth. */
const MOST_UNPACKED = 1024 * MB;
const MOST_ENTRIES = 1_000_000;
/** Unpacked archives that are in memory at a time, those inside each other together. */
const MOST_HELD = 128 * MB;
const LARGEST_MANIFEST = 16 * MB;
const LARGEST_PROPERTIES = 64 * 1024;
const MOST_PACKAGES = 50_000;
const MOST_PROBLEMS = 50;
const MOST_CLASS_FOLDERS = 1000;

/** What one file on disk has used up, with everything inside it. */
interface Budget extends ZipLimits {
  held: number;
  readonly packages: StatedPackage[];
  readonly problems: string[];
}

/** What an archive says of itself before anything inside it is opened. */
interface Contents {
  readonly poms: readonly (Coordinates & { readonly at: string })[];
  readonly manifest: Manifest;
  readonly classFolders: ReadonlySet<string>;
  readonly archives: readonly ZipEntry[];
}

/**
 * The packages in a Java archive and in the archives inside it, each with its place. Never throws. At most `unpacked` bytes
 * are unpacked, at every depth together.
 */
export function readArchive(
  name: string,
  file: FileView,
  unpacked: number = MOST_UNPACKED,
): { readonly packages: readonly StatedPackage[]; readonly problems?: readonly string[] } {
  const budget: Budget = { entries: MOST_ENTRIES, bytes: unpacked, held: MOST_HELD, packages: [], problems: [] };
  visit(name, file, [], budget);
  const { packages, problems } = budget;
  return problems.length === 0 ? { packages } : { packages, problems };
}

function visit(name: string, file: FileView, place: readonly string[], budget: Budget): void {
  const zip = openZip(file, budget);
  const contents = readContents(zip.entries);
  addPackages(name.replace(JAVA_ARCHIVE, ''), contents, place, budget);
  for (const entry of contents.archives) visitInside(entry, place, budget);
  for (const text of zip.problems) problem(text, place, budget);
}

function visitInside(entry: ZipEntry, place: readonly string[], budget: Budget): void {
  const inner = [...place, entry.name];
  if (inner.length > DEEPEST) return problem(`archives are nested deeper than ${DEEPEST}`, place, budget);
  const view = entry.view(budget.held);
  if (!view) return;
  const held = entry.stored ? 0 : view.size;
  budget.held -= held;
  visit(baseName(entry.name), view, inner, budget);
  budget.held += held;
}

function readContents(entries: Iterable<ZipEntry>): Contents {
  const poms: (Coordinates & { at: string })[] = [];
  const archives: ZipEntry[] = [];
  const classFolders = new Set<string>();
  let manifest: Manifest = new Map();
  for (const entry of entries) {
    const { name } = entry;
    const base = baseName(name);
    if (base === 'pom.properties') {
      const pom = parsePomProperties(entry.read(LARGEST_PROPERTIES)?.toString('latin1') ?? '');
      if (pom) poms.push({ ...pom, at: name });
    } else if (base.endsWith('.class')) {
      const folder = name.slice(0, -base.length - 1);
      if (folder !== '' && !folder.startsWith('META-INF/') && classFolders.size < MOST_CLASS_FOLDERS)
        classFolders.add(folder);
    } else if (base.length === 11 && name.toUpperCase() === 'META-INF/MANIFEST.MF') {
      manifest = parseManifest(entry.read(LARGEST_MANIFEST) ?? Buffer.alloc(0));
    } else if (JAVA_ARCHIVE.test(base)) archives.push(entry);
  }
  return { poms, manifest, classFolders, archives };
}

/** The archive itself, and what was unpacked into it (shaded). */
function addPackages(stem: string, contents: Contents, place: readonly string[], budget: Budget): void {
  const { poms, manifest, classFolders } = contents;
  const self = ownPom(stem, poms, manifest) ?? identify(stem, manifest, classFolders);
  const licence = licenceOf(manifest);
  const seen = new Set<string>();
  const add = ({ group, artifact, version }: Coordinates, inside: readonly string[], more: object) => {
    const name = `${group}:${artifact}`;
    if (seen.has(`${name} ${version}`)) return;
    seen.add(`${name} ${version}`);
    if (budget.packages.length >= MOST_PACKAGES) return problem(`more than ${MOST_PACKAGES} packages`, [], budget);
    const where = inside.length === 0 ? {} : { inside: inside.join('!/') };
    budget.packages.push({ type: 'maven', name, version, ...more, ...where });
  };
  if (self) add(self, place, licence === undefined ? {} : { licence });
  for (const pom of poms) add(pom, [...place, pom.at], {});
}

/** A file is called after its artifact, with or without version, group and classifier. */
function isNamedAfter(stem: string, { group, artifact, version }: Coordinates): boolean {
  const names = [artifact, `${group}.${artifact}`];
  return names.some((name) => stem === name || stem === `${name}-${version}` || stem.startsWith(`${name}-${version}-`));
}

/**
 * The one that speaks of the archive itself: it is called so, or the manifest of a renamed archive tells, or it is the only
 * one and the file name does not contradict.
 */
function ownPom(stem: string, poms: readonly Coordinates[], manifest: Manifest): Coordinates | undefined {
  const [title, version] = [manifest.get('implementation-title'), manifest.get('implementation-version')];
  const own =
    poms.find((pom) => isNamedAfter(stem, pom)) ??
    poms.find((pom) => pom.artifact === title && pom.version === version);
  const [only] = poms;
  if (own || !only || poms.length > 1) return own;
  const named = readFileName(stem);
  return named && named.artifact !== only.artifact && named.version !== only.version ? undefined : only;
}

function licenceOf(manifest: Manifest): string | undefined {
  const licence = manifest.get('bundle-license')?.split(/[;,]/, 1)[0]?.trim().replace(/^"|"$/g, '') ?? '';
  return licence === '' || licence.includes('://') ? undefined : licence.slice(0, 200).toWellFormed();
}

function problem(text: string, place: readonly string[], { problems }: Budget): void {
  const line = place.length === 0 ? text : `${place.join('!/')}: ${text}`;
  if (problems.length < MOST_PROBLEMS && !problems.includes(line)) problems.push(line);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
