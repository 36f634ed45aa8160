import { isCve, sortIds } from '../../matcher/ids.ts';
import type { OsvRecord } from './schema.ts';

/** Ecosystems whose records are errata: one record for several vulnerabilities, linked by `related` only. */
const ERRATA = /^(?:ALSA|ALBA|ALEA|RHSA|RHBA|RHEA|RLSA|RLBA|RLEA|RXSA|SUSE|openSUSE|MGASA|MGAA)-/;
/** Errata that fix bugs or add features; without a CVE they speak of no vulnerability. */
const NO_SECURITY = /^(?:ALBA|ALEA|RHBA|RHEA|RLBA|RLEA|MGAA)-/;

/**
 * The vulnerabilities a record is about, each as the list of its ids, canonical first.
 * `aliases` are names of the same vulnerability; a record with several CVEs in `upstream` (or, for errata, in `related`)
 * speaks of each of them. Empty for errata without security content.
 */
export function vulnerabilitiesOf(record: OsvRecord): readonly (readonly string[])[] {
  const aliases = clean(record.aliases);
  const upstream = clean(record.upstream);
  const aliasCves = aliases.filter(isCve);
  const upstreamCves = upstream.filter((id) => isCve(id) && !aliasCves.includes(id));
  if (aliasCves.length > 0 || isCve(record.id)) return [sortIds([record.id, ...aliases])];

  const derived = /^[A-Z]+-(CVE-\d{4}-\d{4,19})$/.exec(record.id)?.[1];
  if (derived !== undefined) return [sortIds([record.id, derived, ...aliases])];
  if (upstreamCves.length === 1) return [sortIds([record.id, ...aliases, ...upstream])];
  if (upstreamCves.length > 1) return upstreamCves.map((cve) => [cve]);

  const related = ERRATA.test(record.id) ? clean(record.related).filter(isCve) : [];
  if (related.length > 0) return [...new Set(related)].map((cve) => [cve]);
  return NO_SECURITY.test(record.id) ? [] : [sortIds([record.id, ...aliases, ...upstream])];
}

function clean(ids: readonly string[] | null | undefined): readonly string[] {
  return (ids ?? []).map((id) => id.trim()).filter((id) => id !== '');
}
