/** Attributes of a manifest's main section; the names in lower case. */
export type Manifest = ReadonlyMap<string, string>;

const MOST_BYTES = 1024 * 1024;
const MOST_LINES = 20_000;
const LONGEST_VALUE = 4096;
const ATTRIBUTE = /^([A-Za-z0-9_-]{1,70}): ?(.*)$/;

/**
 * Reads the main section of a manifest (JAR File Specification, "Manifest Specification"): up to the first empty line, with
 * continuation lines. The sections behind it speak of single files and packages, not of the archive.
 */
export function parseManifest(bytes: Buffer): Manifest {
  const attributes = new Map<string, string>();
  let name: string | undefined;
  for (const line of bytes.toString('utf8', 0, MOST_BYTES).split(/\r\n|\n|\r/, MOST_LINES)) {
    if (line === '') break;
    if (line.startsWith(' ')) {
      const value = name === undefined ? undefined : attributes.get(name);
      if (name !== undefined && value !== undefined && value.length < LONGEST_VALUE)
        attributes.set(name, value + line.slice(1));
      continue;
    }
    const [, key, value] = ATTRIBUTE.exec(line) ?? [];
    name = key?.toLowerCase();
    if (name !== undefined && value !== undefined) attributes.set(name, value.slice(0, LONGEST_VALUE));
  }
  return attributes;
}
