import type { StatedPackage } from '../../model.ts';
import { isLanguagePackageFile } from '../language-files.ts';
import { type Header, TAG } from './header.ts';
import { sourceOf } from './source-rpm.ts';
import { isThirdParty } from './third-party.ts';

/** What one header says. */
export interface StatedRpm {
  readonly pkg: StatedPackage;
  /** Paths of language packages it owns; none for those of a third party, whose files nobody else patches. */
  readonly owned: readonly string[];
  /** How many files were looked at for that. */
  readonly files: number;
}

/** Names, versions and architectures hold no blanks, and are short. */
const WORD = /^[^\s\p{C}]{1,256}$/u;
const LONGEST_LICENCE = 1024;
/** As long as Linux lets paths be. */
const LONGEST_PATH = 4096;
/** Keys that packages are checked with stand among the packages. They are listed, as `rpm -qa` does, but nobody made them. */
const KEY = 'gpg-pubkey';

/**
 * The package of a header, with at most so many of its files looked at; text when it has no name, version or release.
 */
export function packageOf(header: Header, mostFiles: number): StatedRpm | string {
  const name = header.text(TAG.name) ?? '';
  const written = header.text(TAG.version) ?? '';
  const release = header.text(TAG.release) ?? '';
  if (!WORD.test(name)) return 'a package without name';
  if (!WORD.test(written) || !WORD.test(release)) return `package ${name} has no version`;
  const thirdParty = name !== KEY && isThirdParty(header.text(TAG.vendor) ?? '', release);
  const paths = thirdParty || mostFiles === 0 ? [] : pathsOf(header).slice(0, mostFiles);
  const version = withEpoch(`${written}-${release}`, header.numbers(TAG.epoch)[0]);
  return {
    pkg: statedRpm({
      name,
      version,
      arch: header.text(TAG.arch),
      sourceRpm: header.text(TAG.sourceRpm),
      licence: header.text(TAG.licence),
      module: moduleOf(header.text(TAG.modularityLabel)),
      thirdParty,
    }),
    owned: paths.filter((path) => isLanguagePackageFile(path)),
    files: paths.length,
  };
}

/** Puts together what a header or a manifest says; fields that are empty or no words are left out. */
export function statedRpm(fields: {
  readonly name: string;
  readonly version: string;
  readonly arch: string | undefined;
  readonly sourceRpm: string | undefined;
  readonly thirdParty: boolean;
  readonly licence?: string | undefined;
  readonly module?: string | undefined;
}): StatedPackage {
  const { name, version, arch, licence, module } = fields;
  const epoch = /^\d+:/.exec(version)?.[0] ?? '';
  const source = sourceOf(fields.sourceRpm ?? '', epoch);
  return {
    type: 'rpm',
    name,
    version,
    ...(arch !== undefined && WORD.test(arch) ? { arch } : {}),
    ...(source && (source.name !== name || source.version !== version) ? { source } : {}),
    ...(licence ? { licence: licence.slice(0, LONGEST_LICENCE) } : {}),
    ...(module === undefined ? {} : { module }),
    ...(fields.thirdParty ? { thirdParty: true } : {}),
  };
}

/** An epoch of zero is as good as none (rpm, "Dependencies"), and is not written. */
export function withEpoch(version: string, epoch: number | undefined): string {
  return epoch ? `${epoch}:${version}` : version;
}

/** Name and stream of `nodejs:12:8020020200326104117:cdc202be`. */
function moduleOf(label: string | undefined): string | undefined {
  const [name = '', stream = ''] = (label ?? '').split(':', 2);
  return WORD.test(name) && WORD.test(stream) ? `${name}:${stream}` : undefined;
}

/** Files are kept as names and numbers of their folders; very old packages have whole paths. */
function pathsOf(header: Header): readonly string[] {
  const folders = header.texts(TAG.directoryNames).map(withoutRoot);
  const indexes = header.numbers(TAG.directoryIndexes);
  const paths: string[] = [];
  for (const [at, name] of header.texts(TAG.baseNames).entries()) {
    const folder = folders[indexes[at] ?? folders.length];
    if (folder !== undefined && folder.length + name.length <= LONGEST_PATH) paths.push(folder + name);
  }
  for (const path of header.texts(TAG.oldFileNames)) if (path.length <= LONGEST_PATH) paths.push(withoutRoot(path));
  return paths;
}

function withoutRoot(path: string): string {
  return path.replace(/^\/+/, '');
}
