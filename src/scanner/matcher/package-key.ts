import { baseOf } from './ecosystem.ts';

/**
 * The name under which advisories of a package are filed and looked up, given its ecosystem (release included or not) and the
 * name as an advisory or an installed package spells it. Where a registry takes several spellings for one package they give
 * one key: PyPI by PEP 503 (lower case, runs of `-`, `_` and `.` are one `-`), NuGet and Packagist in lower case.
 * Everywhere else names are exact.
 */
export function packageKey(ecosystem: string, name: string): string {
  switch (baseOf(ecosystem)) {
    case 'PyPI':
      return name
        .trim()
        .toLowerCase()
        .replace(/[-_.]+/g, '-');
    case 'NuGet':
    case 'Packagist':
      return name.trim().toLowerCase();
    default:
      return name;
  }
}
