import { isIdentifier, isVersion } from './pom-properties.ts';

export interface NameAndVersion {
  readonly artifact: string;
  readonly version: string;
}

/** Words inside versions: what follows them does not begin a version of its own. */
const QUALIFIERS =
  /^(?:alpha|beta|rc|cr|m|b|build|jre|jdk|android|redhat|release|final|ga|snapshot|sp|incubating|pre)\d*$/i;

/**
 * What a file name without extension says, `commons-lang3-3.12.0`: artifact up to the dash before the version. Where several
 * dashes could be it (`log4j-1.2-api-2.17.1`), the last one behind a word that no version has. Undefined without a version.
 */
export function readFileName(stem: string): NameAndVersion | undefined {
  const parts = stem.split('-');
  let start: number | undefined;
  let words = false;
  for (const [at, part] of parts.entries()) {
    const numeric = /^\d/.test(part);
    if (at > 0 && numeric && (start === undefined || (words && /^\d+\.\d/.test(part)))) {
      start = at;
      words = false;
    } else if (!numeric && !QUALIFIERS.test(part)) words = true;
    if (start === undefined) words = false;
  }
  if (start === undefined) return undefined;
  return known(parts.slice(0, start).join('-'), parts.slice(start).join('-'));
}

/** The same with a version that is known: the name ends in it. */
export function readFileNameWith(stem: string, version: string): NameAndVersion | undefined {
  return stem.endsWith(`-${version}`) ? known(stem.slice(0, -version.length - 1), version) : undefined;
}

function known(artifact: string, version: string): NameAndVersion | undefined {
  return isIdentifier(artifact) && isVersion(version) ? { artifact, version } : undefined;
}
