import type { SystemTexts } from '../../distribution.ts';
import type { Cataloger } from '../types.ts';

/** A file that says which operating system this is. */
export interface SystemFile {
  readonly path: string;
  /** What it is to `distributionOf`; of two files that hold the same the first counts. */
  readonly holds: keyof SystemTexts;
}

/** In order of trust. Links among them are followed when layers are composed. */
export const SYSTEM_FILES: readonly SystemFile[] = [
  { path: 'etc/os-release', holds: 'osRelease' },
  { path: 'usr/lib/os-release', holds: 'osRelease' },
  { path: 'etc/alpine-release', holds: 'alpineRelease' },
  { path: 'etc/lsb-release', holds: 'lsbRelease' },
  { path: 'etc/debian_version', holds: 'debianVersion' },
  // Oracle also writes a redhat-release, with the name of Red Hat's product.
  { path: 'etc/oracle-release', holds: 'releaseLine' },
  { path: 'etc/centos-release', holds: 'releaseLine' },
  { path: 'etc/fedora-release', holds: 'releaseLine' },
  { path: 'etc/redhat-release', holds: 'releaseLine' },
  { path: 'etc/system-release', holds: 'releaseLine' },
  { path: 'etc/SuSE-release', holds: 'suseRelease' },
  { path: 'etc/arch-release', holds: 'archRelease' },
];

/** Distributions keep the real file elsewhere and link to it, so the name decides; composing looks from the root. */
const NAMES =
  /(?:^|\/)(?:[^/]*os-release[^/]*|(?:alpine|lsb|oracle|centos|fedora|redhat|rocky|almalinux|enterprise|system|sl|SuSE|arch)-release|debian_version)$/;

/** Keeps the text: what it means depends on which of the files is there in the end. */
export const systemCataloger: Cataloger = {
  name: 'system',
  role: 'identity',
  largest: 64 * 1024,
  wants: (path) => (path.includes('-release') || path.endsWith('debian_version')) && NAMES.test(path),
  catalog: (_path, file) => ({ text: file.bytes().toString('utf8') }),
};
