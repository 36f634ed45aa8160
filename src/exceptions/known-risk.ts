import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { SEVERITIES, type Severity, worstSeverity } from '../model/severity.ts';
import { vulnerabilitiesOf } from './exception-rows.ts';
import type { KnownRisk, LimitSource } from './limits.ts';

/** What stored findings and the advisories know of a vulnerability, by whichever of its ids. */
export async function knownRisk(
  db: Db,
  limits: Pick<LimitSource, 'knownAs'>,
  vulnerability: string | undefined,
): Promise<KnownRisk> {
  if (vulnerability === undefined) return { names: new Set(), severity: 'critical' };
  const before = await storedAs(db, [vulnerability.toLowerCase()]);
  const advised = await limits.knownAs([...before.names]);
  const all = [...advised].filter(([id]) => before.names.has(id)).map(([, known]) => known);
  const after = await storedAs(db, [...new Set([...before.names, ...all.flatMap(({ names }) => [...names])])]);
  const said = [...all.map(({ severity }) => severity), after.severity];
  return { names: after.names, severity: worstSeverity(said, 'unknown') };
}

/** What a step is about: what is asked for, and these exceptions. */
export interface About {
  readonly asked?: readonly { readonly vulnerability?: string | undefined }[];
  readonly ids?: readonly string[];
}

/** Looks up what `knownRisk` will need of these, all together. */
export async function prepareRisks(
  db: Db,
  limits: Pick<LimitSource, 'knownAs'>,
  { asked = [], ids = [] }: About,
): Promise<void> {
  const said = asked.flatMap(({ vulnerability }) => vulnerability ?? []);
  const vulnerabilities = [...said, ...(await vulnerabilitiesOf(db, ids))];
  const names = new Set<string>();
  for (const id of new Set(vulnerabilities.map((one) => one.toLowerCase())))
    for (const name of (await storedAs(db, [id])).names) names.add(name);
  await limits.knownAs([...names]);
}

/** These ids with those that stored findings have beside them, and the worst severity of these. */
async function storedAs(db: Db, ids: readonly string[]): Promise<KnownRisk> {
  const names = new Set(ids);
  let worst: Severity = 'unknown';
  for (const batch of batches(ids)) {
    const { rows } = await sql<{ name: string; severity: number }>`
      select o.name, max(f.severity) as severity from finding_names n
      join finding_names o on o.finding_id = n.finding_id join findings f on f.id = n.finding_id
      where n.name in (${sql.join(batch)}) group by o.name`.execute(db);
    for (const { name, severity } of rows) {
      names.add(name);
      worst = worstSeverity([SEVERITIES[severity] ?? 'critical'], worst);
    }
  }
  return { names, severity: worst };
}
