const SUFFIX = /\.(?:no)?src\.rpm$/;
const LONGEST = 512;

/**
 * Name and version of a source package from its file name, `NAME-VERSION-RELEASE.src.rpm`. The name does not tell the epoch:
 * that of the binary package, `1:` or nothing, is taken. undefined when it is no such name.
 */
export function sourceOf(
  fileName: string,
  epoch: string,
): { readonly name: string; readonly version: string } | undefined {
  if (fileName.length > LONGEST || !SUFFIX.test(fileName) || /\s/.test(fileName)) return undefined;
  const stem = fileName.replace(SUFFIX, '');
  const beforeRelease = stem.lastIndexOf('-');
  const beforeVersion = stem.lastIndexOf('-', beforeRelease - 1);
  if (beforeVersion <= 0 || beforeRelease <= beforeVersion + 1 || beforeRelease === stem.length - 1) return undefined;
  return { name: stem.slice(0, beforeVersion), version: `${epoch}${stem.slice(beforeVersion + 1)}` };
}
