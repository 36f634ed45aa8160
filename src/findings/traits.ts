import { SEVERITIES, type Severity, severityRank } from '../model/severity.ts';

/** What of a finding rows are searched by. */
interface Traits {
  readonly severity: Severity;
  readonly fixable: boolean;
  /** In CISA's catalogue. */
  readonly kev: boolean;
}

/** The traits as one number. */
export function traitsOf({ severity, fixable, kev }: Traits): number {
  return severityRank(severity) * 4 + (fixable ? 2 : 0) + (kev ? 1 : 0);
}

/** The numbers of all findings with these traits; a severity means that or a worse one, what is absent does not matter. */
export function traitsWith(wanted: { readonly [Name in keyof Traits]?: Traits[Name] | undefined }): readonly number[] {
  const least = wanted.severity === undefined ? 0 : severityRank(wanted.severity);
  return SEVERITIES.filter((severity) => severityRank(severity) >= least).flatMap((severity) =>
    [false, true]
      .filter((fixable) => (wanted.fixable ?? fixable) === fixable)
      .flatMap((fixable) =>
        [false, true].filter((kev) => (wanted.kev ?? kev) === kev).map((kev) => traitsOf({ severity, fixable, kev })),
      ),
  );
}
