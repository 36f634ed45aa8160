const CVE = /^CVE-(\d{4})-(\d{4,19})$/;

/** Ids without repeats, the canonical one first: CVEs by year and number, then GHSA, then everything else. */
export function sortIds(ids: Iterable<string>): readonly string[] {
  return [...new Set(ids)].sort(compareCanonical);
}

/** True for a well-formed CVE id. */
export function isCve(id: string): boolean {
  return CVE.test(id);
}

function rank(id: string): number {
  if (isCve(id)) return 0;
  return id.startsWith('GHSA-') ? 1 : 2;
}

function compareIds(a: string, b: string): number {
  const [x, y] = [CVE.exec(a), CVE.exec(b)];
  const difference = x && y ? Number(x[1]) - Number(y[1]) || Number(x[2]) - Number(y[2]) : 0;
  if (difference !== 0) return difference;
  return a < b ? -1 : Number(a > b);
}

/** Order in which canonical ids are listed. */
export function compareCanonical(a: string, b: string): number {
  return rank(a) - rank(b) || compareIds(a, b);
}
