import { alpmCataloger } from './alpm/cataloger.ts';
import { apkCataloger } from './apk/cataloger.ts';
import { chiselCataloger } from './chisel/cataloger.ts';
import { dpkgCataloger } from './dpkg/cataloger.ts';
import { LANGUAGE_CATALOGERS } from './languages.ts';
import { opkgCataloger } from './opkg/cataloger.ts';
import { rpmCataloger } from './rpm/cataloger.ts';
import { systemCataloger } from './system/cataloger.ts';
import type { Cataloger } from './types.ts';

/** Every cataloger; no two want the same file by name. */
export const CATALOGERS: readonly Cataloger[] = [
  systemCataloger,
  apkCataloger,
  dpkgCataloger,
  rpmCataloger,
  alpmCataloger,
  chiselCataloger,
  opkgCataloger,
  ...LANGUAGE_CATALOGERS,
];

const SNIFFERS = CATALOGERS.filter(({ sniff }) => sniff !== undefined);

/** The cataloger that wants to read a file. */
export function catalogerFor(path: string): Cataloger | undefined {
  return CATALOGERS.find((candidate) => candidate.wants(path));
}

/** The catalogers that may want a file by its first bytes, when none wants it by name. */
export function sniffersFor(path: string): readonly Cataloger[] {
  return SNIFFERS.filter(({ sniff }) => sniff?.mayWant(path));
}
