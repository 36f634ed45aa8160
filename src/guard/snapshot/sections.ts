/** Something that is kept as a whole. No secrets: whoever may read ConfigMaps of the namespace reads it. */
export interface SnapshotSection {
  /** Plain JSON. */
  save(): unknown;
  /** What `save` gave, or whatever somebody put in its place: to be checked. Throws for what cannot be taken. */
  load(value: unknown): void;
  /** Equal as long as `save` would give the same; without it what it gives is compared. */
  version?(): string | number;
  /** Bytes of JSON beyond which what was kept is not read back: it costs several times as much memory. */
  readonly largest?: number;
}

/** Something that is kept in parts, so that a change is written alone. */
export interface SnapshotParts {
  parts(): readonly { readonly key: string; readonly version: string | number; save(): unknown }[];
  /** All parts that were written, by key. Throws for what cannot be taken. */
  load(parts: ReadonlyMap<string, unknown>): void;
  /** Bytes of JSON of one part beyond which it is not read back. */
  readonly largest?: number;
}

/** A section without a version is told apart by what it gives. */
export function wholeSection(section: SnapshotSection): SnapshotParts {
  let count = 0;
  let last: string | undefined;
  const compared = (): number => {
    const now = JSON.stringify(section.save());
    if (now !== last) count += 1;
    last = now;
    return count;
  };
  return {
    ...(section.largest === undefined ? {} : { largest: section.largest }),
    parts: () => [{ key: '', version: section.version?.() ?? compared(), save: () => section.save() }],
    load(parts) {
      if (parts.has('')) section.load(parts.get(''));
    },
  };
}

/** The section a part belongs to: parts are called `SECTION/KEY`. */
export function sectionOf(part: string): string {
  return part.slice(0, Math.max(0, part.lastIndexOf('/')));
}
