import type { PackageType } from '../../src/model/inventory.ts';

/** A package as one tool lists it, under names that are the same for every tool. */
export interface ListedPackage {
  readonly type: PackageType;
  readonly name: string;
  readonly version: string;
}

/** A vulnerability of a package as one tool reports it. Two tools mean the same when their ids meet. */
export interface ListedFinding {
  readonly package: ListedPackage;
  /** Every id it goes by: canonical, aliases, advisory records. Never empty; the one to show first. */
  readonly ids: readonly string[];
}

/** What one tool says about an image. */
export interface ToolReport {
  readonly packages: readonly ListedPackage[];
  /** Absent for tools that list packages only, or have no advisories for this image. */
  readonly findings?: readonly ListedFinding[];
}

/** A scanner that is asked about images. */
export interface Tool {
  readonly name: string;
  readonly version: string;
  /** Looks into a docker archive. Throws when it cannot, with its own words. */
  scan(archive: string): Promise<ToolReport>;
}

/** The key under which a package of one tool is that of another. */
export function packageKey({ type, name, version }: ListedPackage): string {
  return `${type}\t${name}\t${version}`;
}

/** Names and versions as their ecosystem compares them: case, `_` and `-`, a leading `v`, an explicit zero epoch, no version at all. */
export function listed(type: PackageType, name: string, version: string): ListedPackage {
  return { type, name: plainName(type, name), version: plainVersion(type, version) };
}

function plainName(type: PackageType, name: string): string {
  if (type === 'pypi') return name.toLowerCase().replaceAll(/[-_.]+/g, '-');
  if (type === 'composer' || type === 'nuget' || type === 'npm') return name.toLowerCase();
  return name;
}

function plainVersion(type: PackageType, version: string): string {
  if (version === '(devel)') return '';
  if (type === 'golang') return version.replace(/^(?:v|go)(?=\d)/, '').split(' ', 1)[0] ?? '';
  if (type === 'composer') return version.replace(/^v(?=\d)/, '');
  return type === 'rpm' ? version.replace(/^0:/, '') : version;
}
