import { type Severity, worstSeverity } from '../../model/severity.ts';
import type { AdvisoryStatement } from '../matcher/lookup.ts';
import type { AdvisoryDatabase } from './types.ts';

/** What advisories know of the vulnerabilities that one id names. */
export interface KnownAs {
  /** Every id of any finding that may come of them: ids, aliases, and those of the advisories themselves. In lower case, the asked one included. */
  readonly names: ReadonlySet<string>;
  /** The worst that any source says of any of them. */
  readonly severity: Severity;
}

type Said = Pick<AdvisoryStatement, 'advisory' | 'ids' | 'severities' | 'malicious'>;

/**
 * What vulnerabilities are known as, by any of their ids, in lower case. Findings are joined by ids within a package; this joins them within all
 * packages, so that it never knows fewer ids of a finding than the finding has. An advisory names all that it is about, but joins none of them.
 */
export async function knownAs(
  database: Pick<AdvisoryDatabase, 'mentioning' | 'vulnerability'>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KnownAs>> {
  const asked = new Set(ids.map(lower));
  const byAdvisory = new Map<string, Said[]>();
  const byId = new Map<string, Said[]>();
  const looked = new Set<string>();
  let open = [...asked];
  while (open.length > 0) {
    for (const id of open) looked.add(id);
    const next = new Set<string>();
    for await (const { advisory, ids: called, severities, malicious } of database.mentioning(open)) {
      const said = { advisory, ids: called, severities, ...(malicious ? { malicious } : {}) };
      add(byAdvisory, lower(advisory), said);
      for (const id of called.map(lower)) {
        add(byId, id, said);
        if (!looked.has(id)) next.add(id);
      }
    }
    open = [...next];
  }
  const known = new Map<string, KnownAs>();
  for (const id of asked) known.set(id, join(id));
  return known;

  function join(own: string): KnownAs {
    const names = new Set([own]);
    const severities: Severity[] = [];
    // Facts are filed under ids as their authorities write them.
    const facts = new Set([own, own.toUpperCase()]);
    const reached = new Set([own, ...(byAdvisory.get(own) ?? []).flatMap((said) => said.ids.map(lower))]);
    // A set that grows is walked to its end.
    for (const id of reached)
      for (const said of byId.get(id) ?? []) {
        names.add(lower(said.advisory));
        severities.push(...said.severities.map(({ severity }) => severity), ...(said.malicious ? [MALICIOUS] : []));
        for (const called of said.ids) {
          facts.add(called);
          reached.add(lower(called));
        }
      }
    for (const id of reached) names.add(id);
    for (const id of facts)
      severities.push(...(database.vulnerability(id)?.severities ?? []).map(({ severity }) => severity));
    return { names, severity: worstSeverity(severities, 'unknown') };
  }
}

/** Of a package that is the attack itself. */
const MALICIOUS: Severity = 'critical';

function lower(id: string): string {
  return id.toLowerCase();
}

function add(to: Map<string, Said[]>, key: string, said: Said): void {
  const known = to.get(key);
  if (known) known.push(said);
  else to.set(key, [said]);
}
