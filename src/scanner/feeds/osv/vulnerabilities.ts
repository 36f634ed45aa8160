import { isCve, sortIds } from '../../matcher/ids.ts';
import type { OsvRecord } from './schema.ts';

/** Ecosystems whose records are errata: one record for several vulnerabilities, linked by `related` only. */
const ERRATA =
  /^(?:ALSA|ALBA|ALEA|RHSA|RHBA|RHEA|RLSA|RLBA|RLEA|RXSA|SUSE|openSUSE|MGASA|MGAA|USN|LSN|BELL|OESA|PHSA)-/;
/** Errata that fix bugs or add features; without a CVE they speak of no vulnerability. */
const NO_SECURITY = /^(?:ALBA|ALEA|RHBA|RHEA|RLBA|RLEA|MGAA)-/;
/** A distribution's own name for its record of a CVE: `DEBIAN-CVE-2020-1234`. */
const DERIVED = /^[A-Z]+-(CVE-\d{4}-\d{4,19})$/;

/**
 * The vulnerabilities a record is about, each as the list of its ids, canonical first.
 * `aliases` are names of the same vulnerability; a record with several CVEs in `upstream` (or, for errata, in `related`)
 * speaks of each of them. Empty for errata without security content.
 */
export function vulnerabilitiesOf(record: OsvRecord): readonly (readonly string[])[] {
  const aliases = clean(record.aliases);
  const upstream = clean(record.upstream);
  if (isCve(record.id) || aliases.some(isCve)) return [sortIds([record.id, ...aliases])];

  const derived = DERIVED.exec(record.id)?.[1];
  if (derived !== undefined) return [sortIds([record.id, derived, ...aliases])];
  const solved = cvesOf(upstream);
  if (solved.length === 1) return [sortIds([record.id, ...solved, ...aliases, ...upstream])];
  if (solved.length > 1) return solved.map((cve) => [cve]);

  const related = ERRATA.test(record.id) ? cvesOf(clean(record.related)) : [];
  if (related.length > 0) return related.map((cve) => [cve]);
  return NO_SECURITY.test(record.id) ? [] : [sortIds([record.id, ...aliases, ...upstream])];
}

/** The CVEs a list of ids names, also by a distribution's name for one; each once. */
function cvesOf(ids: readonly string[]): readonly string[] {
  return [...new Set(ids.flatMap((id) => (isCve(id) ? [id] : (DERIVED.exec(id)?.[1] ?? []))))];
}

function clean(ids: readonly string[] | null | undefined): readonly string[] {
  return (ids ?? []).map((id) => id.trim()).filter((id) => id !== '');
}
