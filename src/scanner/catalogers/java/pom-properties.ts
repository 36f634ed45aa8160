/** Coordinates of a Maven artifact. */
export interface Coordinates {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
}

const LINE = /^[ \t\f]*([A-Za-z]+)[ \t\f]*[=: \t\f][ \t\f]*(.*)$/;
const IDENTIFIER = /^[A-Za-z0-9_.-]+$/;
/** What Maven leaves when it does not know a property; blanks and signs that no version has. */
const VERSION = /^[A-Za-z0-9][A-Za-z0-9_.+~^,-]*$/;
const LONGEST = 256;

/**
 * Reads a `pom.properties` as Maven's archiver writes it (java.util.Properties, without escapes). Undefined unless group,
 * artifact and version are there and can be such.
 */
export function parsePomProperties(text: string): Coordinates | undefined {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n|\r/)) {
    const [, key, value] = LINE.exec(line.slice(0, 1000)) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, value.trim());
  }
  const [group = '', artifact = '', version = ''] = ['groupId', 'artifactId', 'version'].map((key) => values.get(key));
  return isIdentifier(group) && isIdentifier(artifact) && isVersion(version) ? { group, artifact, version } : undefined;
}

/** True for what can be a group or an artifact (Maven's own rule for identifiers). */
export function isIdentifier(text: string): boolean {
  return text.length <= LONGEST && IDENTIFIER.test(text);
}

/** True for what can be a version: starts with a letter or digit, no blanks, no `${…}`. */
export function isVersion(text: string): boolean {
  return text.length <= LONGEST && VERSION.test(text);
}
