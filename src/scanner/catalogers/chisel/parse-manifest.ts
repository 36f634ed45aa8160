import { isRecord, jsonOf } from '../../../platform/json-object.ts';
import type { StatedPackage } from '../../model.ts';
import { isLanguagePackageFile } from '../language-files.ts';

interface Parsed {
  readonly packages: readonly StatedPackage[];
  readonly owned: readonly string[];
  readonly problems: readonly string[];
}

/** Names, versions and architectures hold no blanks, and are short. */
const WORD = /^[^\s\p{C}]{1,256}$/u;
const MOST_PROBLEMS = 100;

/**
 * Reads the manifest of a chiselled image without its compression: one JSON object a line, first a header
 * `{"jsonwall":"1.0","schema":"1.0","count":N}`, then objects by `kind` (Chisel, "Manifest"). `package` has name, version
 * and arch, `path` the path of a file that was cut out of them.
 */
export function parseManifest(text: string): Parsed {
  const packages: StatedPackage[] = [];
  const owned: string[] = [];
  const problems: string[] = [];
  const problem = (what: string): void => {
    if (problems.length < MOST_PROBLEMS) problems.push(what);
  };
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const value = objectOf(line);
    if (at === 0) {
      if (value?.['jsonwall'] === undefined) return { packages, owned, problems: ['it does not begin as a manifest'] };
      continue;
    }
    if (value === undefined) problem(`line ${at + 1}: it is no JSON object`);
    else if (value['kind'] === 'package') {
      const pkg = packageOf(value);
      if (pkg) packages.push(pkg);
      else problem(`line ${at + 1}: it names no package with a version`);
    } else if (value['kind'] === 'path' && typeof value['path'] === 'string') {
      const path = value['path'].replace(/^\/+/, '');
      if (isLanguagePackageFile(path)) owned.push(path);
    }
  }
  return { packages, owned, problems };
}

function packageOf({ name, version, arch }: Readonly<Record<string, unknown>>): StatedPackage | undefined {
  if (!isWord(name) || !isWord(version)) return undefined;
  return { type: 'deb', name, version, ...(isWord(arch) ? { arch } : {}) };
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && WORD.test(value);
}

function objectOf(line: string): Readonly<Record<string, unknown>> | undefined {
  const value = jsonOf(line);
  return isRecord(value) ? value : undefined;
}
