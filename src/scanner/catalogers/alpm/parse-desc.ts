import type { StatedPackage } from '../../model.ts';

/** Names, versions and architectures hold no blanks, and are short. */
const WORD = /^[^\s\p{C}]{1,256}$/u;
const SECTION = /^%([A-Z0-9]{1,32})%$/;
const LONGEST_LICENCE = 1024;

/**
 * Reads `desc` of a package in pacman's local database: sections of lines that end with an empty one, each headed by its name
 * between per cent signs (alpm(7), "local database"). NAME, VERSION, ARCH, LICENSE; BASE is the package it was built from.
 * Gives text when it names no package with a version.
 */
export function parseDesc(content: Buffer): StatedPackage | string {
  const sections = sectionsOf(content);
  const name = sections.get('NAME')?.[0] ?? '';
  const version = sections.get('VERSION')?.[0] ?? '';
  if (!WORD.test(name)) return 'a package without name';
  if (!WORD.test(version)) return `package ${name} has no version`;
  const arch = sections.get('ARCH')?.[0] ?? '';
  const base = sections.get('BASE')?.[0] ?? '';
  const licence = (sections.get('LICENSE') ?? []).join(' AND ').slice(0, LONGEST_LICENCE);
  return {
    type: 'alpm',
    name,
    version,
    ...(WORD.test(arch) ? { arch } : {}),
    ...(base !== name && WORD.test(base) ? { source: { name: base, version } } : {}),
    ...(licence ? { licence } : {}),
  };
}

/** The lines of every section by its name; of two with the same name the first counts. */
export function sectionsOf(content: Buffer): ReadonlyMap<string, readonly string[]> {
  const sections = new Map<string, string[]>();
  let lines: string[] | undefined;
  for (const raw of content.toString('utf8').split('\n')) {
    const line = raw.trim();
    if (line === '') {
      lines = undefined;
      continue;
    }
    const heading = lines ? undefined : SECTION.exec(line)?.[1];
    if (heading !== undefined) {
      lines = [];
      if (!sections.has(heading)) sections.set(heading, lines);
    } else lines?.push(line);
  }
  return sections;
}
