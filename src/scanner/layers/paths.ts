/** As long as Linux takes (PATH_MAX): what is longer cannot be unpacked. */
const LONGEST = 4096;

/** Parts that are no name: empty ones, `.` and `..`. */
const NO_NAME = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * A path of an archive as a path below the root: no `./`, no leading or double slashes, `..` resolved but never above the
 * root. Empty for the root itself; undefined for what cannot be a path (NUL, too long).
 */
export function normalisePath(name: string): string | undefined {
  if (name.length > LONGEST || name.includes('\0')) return undefined;
  // As nearly every archive has them: nothing is put together anew.
  const plain = name.slice(name.startsWith('./') ? 2 : 0, name.endsWith('/') ? -1 : undefined);
  if (!NO_NAME.test(plain)) return plain;
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** What a path says by the whiteout convention (OCI image specification, "Layer", whiteouts). */
export type Whiteout =
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'opaque'; readonly path: string }
  /** A bookkeeping file of aufs: nothing in the image. */
  | { readonly kind: 'ignore' };

/** Undefined for ordinary files; a bare `.wh.` names nothing and is one of them. */
export function whiteoutOf(path: string): Whiteout | undefined {
  const slash = path.lastIndexOf('/');
  const base = path.slice(slash + 1);
  if (!base.startsWith(WHITEOUT) || base === WHITEOUT) return undefined;
  const folder = path.slice(0, Math.max(slash, 0));
  if (base === OPAQUE) return { kind: 'opaque', path: folder };
  if (base.startsWith('.wh..wh.')) return { kind: 'ignore' };
  const removed = base.slice(WHITEOUT.length);
  return { kind: 'remove', path: folder === '' ? removed : `${folder}/${removed}` };
}
