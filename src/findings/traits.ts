import { type RawBuilder, sql } from 'kysely';
import { type Severity, severityRank } from '../model/severity.ts';

/** What of a finding rows are searched by. */
interface Traits {
  readonly severity: Severity;
  readonly fixable: boolean;
  /** In CISA's catalogue. */
  readonly kev: boolean;
}

type Condition = RawBuilder<unknown>;

/** What each adds to the number. */
const SEVERITY = 4;
const FIXABLE = 2;
const KEV = 1;

/** The traits as one number. */
export function traitsOf({ severity, fixable, kev }: Traits): number {
  return severityRank(severity) * SEVERITY + (fixable ? FIXABLE : 0) + (kev ? KEV : 0);
}

/** The same of a finding `f`. */
export const TRAITS_OF_FINDING: Condition = sql`(f.severity * ${sql.lit(SEVERITY)} + f.fixable * ${sql.lit(FIXABLE)} + f.kev * ${sql.lit(KEV)})`;

/** Holds for numbers of findings with these traits; a severity means that or a worse one, what is absent does not matter. */
export function traitsWith(
  traits: Condition,
  { severity, fixable, kev }: { readonly [Name in keyof Traits]?: Traits[Name] | undefined },
): readonly Condition[] {
  return [
    ...(severity === undefined ? [] : [sql`${traits} >= ${sql.lit(severityRank(severity) * SEVERITY)}`]),
    ...(fixable === undefined ? [] : [sql`${traits} & ${sql.lit(FIXABLE)} = ${sql.lit(fixable ? FIXABLE : 0)}`]),
    ...(kev === undefined ? [] : [sql`${traits} & ${sql.lit(KEV)} = ${sql.lit(kev ? KEV : 0)}`]),
  ];
}

/** The rank of the severity among these traits. */
export function rankOf(traits: number): number {
  return Math.floor(traits / SEVERITY);
}
