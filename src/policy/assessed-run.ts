import type { Counts, VerdictKind } from '../model/verdict.ts';
import type { Assessment } from './assessment.ts';
import type { FindingClock } from './clocks.ts';
import { countFindings } from './counts.ts';
import type { FindingRun } from './finding-runs.ts';
import { type RankedReason, ranked, worstKind } from './reason-order.ts';

/** Everything a run of findings brings into a verdict at a moment. What is only told is made when somebody asks for it. */
export class AssessedRun {
  readonly run: FindingRun;
  /** Of each finding of the run. */
  readonly clocks: readonly FindingClock[];
  /** Of those of its findings that apply. */
  readonly assessed: readonly Assessment[];
  readonly kind: VerdictKind;
  /** The first moment at which time alone changes any of them. */
  readonly nextChange: number | undefined;
  /** Until then they are the same at any later moment. */
  readonly steady: boolean;
  /** They ask for nothing and never will, whatever the clocks are. */
  readonly quiet: boolean;
  /** Epoch ms. */
  readonly assessedAt: number;
  #counts: Counts | undefined;
  #reasons: readonly RankedReason[] | undefined;
  #lines: readonly string[] | undefined;

  constructor(
    run: FindingRun,
    clocks: readonly FindingClock[],
    { assessed, now }: { readonly assessed: readonly Assessment[]; readonly now: number },
  ) {
    this.run = run;
    this.clocks = clocks;
    this.assessed = assessed;
    this.kind = worstKind(assessed);
    this.nextChange = firstChange(assessed);
    this.steady = assessed.every(({ steady }) => steady);
    this.quiet = assessed.every(({ quiet }) => quiet);
    this.assessedAt = now;
  }

  get counts(): Counts {
    this.#counts ??= countFindings(this.assessed.map(({ countable }) => countable));
    return this.#counts;
  }

  get reasons(): readonly RankedReason[] {
    this.#reasons ??= this.assessed.flatMap(({ reasons }) => reasons.map(ranked));
    return this.#reasons;
  }

  /** The clocks that count, as they are hashed: sorted, each once. */
  get clockLines(): readonly string[] {
    if (this.#lines) return this.#lines;
    const lines = this.clocks.flatMap(({ line }, at) => (applies(this.run[at]) ? [line] : []));
    this.#lines = [...new Set(lines)].sort();
    return this.#lines;
  }
}

/** False for a finding of which the advisories themselves say that it is none. */
export function applies(finding: FindingRun[number] | undefined): boolean {
  return finding !== undefined && finding.status !== 'not_affected';
}

/** The first moment at which any of these changes by time alone. */
export function firstChange(
  all: readonly { readonly nextChange: number | undefined }[],
  first?: number,
): number | undefined {
  let moment = first;
  for (const { nextChange } of all)
    if (nextChange !== undefined && (moment === undefined || nextChange < moment)) moment = nextChange;
  return moment;
}
