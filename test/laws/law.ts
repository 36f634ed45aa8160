import fc from 'fast-check';

/** A law of risk decisions, as one property over made-up cases. A law that cannot fail is none: see `npm run test:laws -- --help`. */
export interface Law {
  /** Number in the list of laws. */
  readonly number: number;
  /** What it says, in a sentence. */
  readonly says: string;
  /** Cases of a run; 10,000 unless one case is many. */
  readonly cases?: number;
  /** Comparisons that one case makes; 1 unless told. */
  readonly comparisons?: number;
  property(): fc.IProperty<unknown> | fc.IAsyncProperty<unknown>;
}

export const CASES = 10_000;

/** Checks a law; gives what broke it, undefined when nothing did. */
export async function check(law: Law, seed: number, cases: number): Promise<string | undefined> {
  const details = await fc.check(law.property() as fc.IAsyncProperty<unknown>, {
    seed,
    numRuns: cases,
    endOnFailure: false,
  });
  if (!details.failed) return undefined;
  const reason = details.errorInstance instanceof Error ? details.errorInstance.message : 'the property gave false';
  return `case ${details.numRuns}, path ${details.counterexamplePath ?? ''}: ${reason}\n${fc.stringify(details.counterexample)}`;
}
