import type { PackageType } from '../../model/inventory.ts';

export interface SourcePackage {
  readonly name: string;
  readonly version: string;
}

/**
 * The source package behind the qualifier `upstream` (package URL types, deb and rpm; Syft writes it for apk too): `name`,
 * `name@version` or the file name of a source rpm. `version` is the binary package's, which counts where none is stated.
 */
export function sourceOfUpstream(type: PackageType, upstream: string, version: string): SourcePackage | undefined {
  if (type === 'rpm') return sourceOfFileName(upstream);
  const at = upstream.lastIndexOf('@');
  if (at <= 0) return { name: upstream, version };
  return { name: upstream.slice(0, at), version: upstream.slice(at + 1) || version };
}

/** Name and version of a source rpm by its file name, `glibc-2.34-60.el9.src.rpm`; undefined when it is none. */
export function sourceOfFileName(file: string): SourcePackage | undefined {
  const stem = file.replace(/\.(?:no)?src\.rpm$/, '');
  const release = stem.lastIndexOf('-');
  const version = stem.lastIndexOf('-', release - 1);
  if (stem === file || version <= 0) return undefined;
  return { name: stem.slice(0, version), version: stem.slice(version + 1) };
}
