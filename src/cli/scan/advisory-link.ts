/** Where people read about a vulnerability; undefined for ids that are not well-formed. */
export function advisoryLink(id: string): string | undefined {
  if (/^CVE-\d{4}-\d{4,19}$/.test(id)) return `https://nvd.nist.gov/vuln/detail/${id}`;
  if (/^GHSA(?:-[0-9a-z]{4}){3}$/.test(id)) return `https://github.com/advisories/${id}`;
  return /^[A-Z][A-Z0-9]{1,20}-[A-Za-z0-9:.-]{1,60}$/.test(id)
    ? `https://osv.dev/vulnerability/${encodeURIComponent(id)}`
    : undefined;
}
