import type { Cataloger } from '../types.ts';

/** Files that say which operating system this is, best first. Links among them are followed when layers are composed. */
export const SYSTEM_FILES = [
  'etc/os-release',
  'usr/lib/os-release',
  'etc/alpine-release',
  'etc/debian_version',
] as const;

/** Distributions keep the real file elsewhere and link to it, so the name decides; composing looks from the root. */
const NAMES = /(?:^|\/)(?:os-release[^/]*|alpine-release|debian_version)$/;

/** Keeps the text: what it means depends on which of the files is there in the end. */
export const systemCataloger: Cataloger = {
  name: 'system',
  role: 'identity',
  largest: 64 * 1024,
  wants: (path) => NAMES.test(path),
  catalog: (_path, file) => ({ text: file.bytes().toString('utf8') }),
};
