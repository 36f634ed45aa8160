import { type NameAndVersion, readFileName, readFileNameWith } from './file-name.ts';
import { knownGroupOf, likelyGroupOf } from './known-groups.ts';
import type { Manifest } from './manifest.ts';
import { type Coordinates, isIdentifier, isVersion } from './pom-properties.ts';

/** Where names of groups begin: reversed domain names. */
const DOMAINS: ReadonlySet<string> = new Set(
  'com org net io edu gov dev app info biz me tech cloud java javax jakarta'.split(' '),
);
/** Ivy's way of writing a title, `org.elasticsearch#server;8.14.3`. */
const IVY = /^([\w.-]+)#([\w.-]+);/;

/**
 * Coordinates of an archive without a `pom.properties` of its own, by its file name, its manifest and the packages its
 * classes are in. What has a version in its name is one artifact surely; when nothing tells the group, the artifact's name
 * stands for it. Other archives count only when the manifest has version, name and group.
 */
export function identify(stem: string, manifest: Manifest, packages: ReadonlySet<string>): Coordinates | undefined {
  const named = fromFileName(stem, manifest);
  if (named) {
    return { group: groupOf(named.artifact, manifest, packages) ?? named.artifact, ...named };
  }
  const version = versionsOf(manifest)[0];
  const artifact = artifactOf(stem, manifest);
  const group = artifact === undefined ? undefined : groupOf(artifact, manifest, packages);
  return group !== undefined && artifact !== undefined && version !== undefined
    ? { group, artifact, version }
    : undefined;
}

/** The versions a manifest names, the most telling first. */
function versionsOf(manifest: Manifest): readonly string[] {
  return ['plugin-version', 'implementation-version', 'bundle-version']
    .map((name) => manifest.get(name)?.trim().split(/\s/, 1)[0] ?? '')
    .filter((version) => isVersion(version) && /\d/.test(version));
}

function fromFileName(stem: string, manifest: Manifest): NameAndVersion | undefined {
  for (const version of versionsOf(manifest)) {
    const named = readFileNameWith(stem, version);
    if (named) return named;
  }
  return readFileName(stem);
}

function symbolicName(manifest: Manifest): string | undefined {
  const name = manifest.get('bundle-symbolicname')?.split(';', 1)[0]?.trim() ?? '';
  return isIdentifier(name) ? name : undefined;
}

/** The artifact where the file name does not tell. */
function artifactOf(stem: string, manifest: Manifest): string | undefined {
  if ((knownGroupOf(stem) ?? likelyGroupOf(stem)) !== undefined) return stem;
  const symbolic = symbolicName(manifest);
  const last = symbolic?.slice(symbolic.lastIndexOf('.') + 1);
  // `org.apache.tomcat-catalina`: the group, and an artifact that repeats its last part.
  if (last?.includes('-')) return last;
  const short = manifest.get('short-name')?.trim() ?? '';
  if (isIdentifier(short)) return short;
  const title = manifest.get('implementation-title')?.trim() ?? '';
  const ivy = IVY.exec(title)?.[2];
  if (ivy !== undefined) return ivy;
  const names = [title, symbolic ?? ''].map((name) => name.toLowerCase());
  if (names.some((name) => name === stem || name.endsWith(`.${stem}`))) return stem;
  if (isIdentifier(title)) return title;
  // A title in words is no artifact anybody could look up, but says better than the file name what it is.
  return /^[\w .&+-]{1,100}$/.test(title) ? title : undefined;
}

function groupOf(artifact: string, manifest: Manifest, packages: ReadonlySet<string>): string | undefined {
  const certain = knownGroupOf(artifact) ?? IVY.exec(manifest.get('implementation-title')?.trim() ?? '')?.[1];
  if (certain !== undefined) return certain;
  const byPackages = groupOfPackages(artifact, packages);
  const vendor = ['group-id', 'implementation-vendor-id']
    .map((name) => manifest.get(name)?.trim() ?? '')
    .find((id) => isIdentifier(id) && id.includes('.'));
  // `org.apache` is an organisation: the packages say which of its projects.
  if (vendor?.split('.').length === 2 && byPackages?.startsWith(`${vendor}.`)) return byPackages;
  return (
    vendor ??
    groupIn(symbolicName(manifest), artifact) ??
    likelyGroupOf(artifact) ??
    groupIn(manifest.get('automatic-module-name')?.trim(), artifact) ??
    groupIn(artifact, artifact) ??
    byPackages
  );
}

/** The group in a dotted name that begins with a domain: what stands before the artifact, or before the last part. */
function groupIn(name: string | undefined, artifact: string): string | undefined {
  if (name === undefined || !isIdentifier(name) || !beginsWithDomain(name)) return undefined;
  const dash = name.indexOf('-', name.lastIndexOf('.'));
  // Names of modules have no dashes: `org.checkerframework.checker.qual` for `checker-qual`.
  const ending = [artifact, artifact.replaceAll('-', '.')].find((text) => name.endsWith(`.${text}`));
  if (ending !== undefined) return dottedOrWhole(name.slice(0, -ending.length - 1), name, dash);
  if (dash > 0) return name.slice(0, dash);
  return dottedOrWhole(name.slice(0, name.lastIndexOf('.')), name, dash);
}

/** A domain alone (`org`) is no group: the whole name is then (`org.postgresql`). */
function dottedOrWhole(group: string, whole: string, dash: number): string {
  // `org.apache.tomcat-catalina` names the group `org.apache.tomcat`; `com.fasterxml.jackson.core.jackson-core` does not.
  const first = dash > 0 ? whole.slice(whole.lastIndexOf('.') + 1, dash) : undefined;
  if (first !== undefined && group.split('.').length === 2) return `${group}.${first}`;
  return group.includes('.') ? group : whole;
}

/** The longest package all classes are in, two or three parts, without the module `beans` of an artifact `spring-beans`. */
function groupOfPackages(artifact: string, packages: ReadonlySet<string>): string | undefined {
  let common: readonly string[] | undefined;
  for (const name of packages) {
    const parts = name.split('/');
    common = common === undefined ? parts : common.slice(0, firstDifference(common, parts));
  }
  const group = (common ?? []).slice(0, 3);
  if (group.length > 2 && artifact.endsWith(`-${group.at(-1)}`)) group.pop();
  const text = group.join('.');
  return group.length >= 2 && isIdentifier(text) && beginsWithDomain(text) ? text : undefined;
}

function firstDifference(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 ? a.length : at;
}

function beginsWithDomain(name: string): boolean {
  const [first = '', second] = name.split('.', 2);
  return second !== undefined && (DOMAINS.has(first) || /^[a-z]{2}$/.test(first));
}
