import { ordering } from '../ordering.ts';
import { compareSemantic, type SemanticVersion } from '../semver/semantic.ts';

const NUMBER = '(0|[1-9]\\d*)';
const WORD = '[0-9A-Za-z-]+';
const IDENTIFIERS = `${WORD}(?:\\.${WORD})*`;
const MODULE = new RegExp(
  `^v?${NUMBER}(?:\\.${NUMBER})?(?:\\.${NUMBER})?(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?$`,
);
const TOOLCHAIN = new RegExp(`^(?:go)?${NUMBER}(?:\\.${NUMBER})?(?:\\.${NUMBER})?(?:(alpha|beta|rc)(\\d+))?$`);
const TOOLCHAIN_SUFFIX = /[ +-].*$/;
const LEADING_ZERO = /^0\d+$/;

/**
 * Order of two Go versions: of modules as golang.org/x/mod/semver has it (with or without `v`; `+incompatible` does not
 * count, pseudo-versions are pre-releases), of the toolchain and the standard library as the Go vulnerability database writes
 * them: `go1.24.0` = `1.24.0` = `1.24`, `go1.21rc1` = `1.21.0-rc.1`; what follows a hyphen, plus or space in a version with `go`
 * is a vendor's mark and does not count. undefined for anything else, `(devel)` included.
 */
export const compareGo = ordering(parse, compareSemantic);

function parse(version: string): SemanticVersion | undefined {
  return parseModule(version) ?? parseToolchain(version);
}

function parseModule(version: string): SemanticVersion | undefined {
  const match = MODULE.exec(version);
  if (match === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', preRelease] = match;
  const identifiers = preRelease?.split('.') ?? [];
  if (identifiers.some((identifier) => LEADING_ZERO.test(identifier))) return undefined;
  return { numbers: [major, minor, patch], preRelease: identifiers };
}

function parseToolchain(version: string): SemanticVersion | undefined {
  const match = TOOLCHAIN.exec(version.startsWith('go') ? version.replace(TOOLCHAIN_SUFFIX, '') : version);
  if (match === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', word, number = '0'] = match;
  return { numbers: [major, minor, patch], preRelease: word === undefined ? [] : [word, number] };
}
