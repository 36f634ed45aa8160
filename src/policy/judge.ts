import type { Reason, ToldVerdict, Verdict, VerdictKind } from '../model/verdict.ts';
import { canonicalHash, compareText } from '../oci/canonical.ts';
import { type Assessments, createAssessor } from './assess.ts';
import { type AssessedRun, applies, firstChange } from './assessed-run.ts';
import { holdsAt } from './assessment.ts';
import { clockOfAll, clocksByFinding, type FindingClock, findingClock } from './clocks.ts';
import { sumOfCounts } from './counts.ts';
import { exceptionsOf, type ImageExceptions } from './exception-index.ts';
import type { GrantedException } from './exceptions.ts';
import { type FindingRun, runsOf } from './finding-runs.ts';
import { imageChange, imageLines, ruleExceptions } from './image-exceptions.ts';
import type { JudgeInput } from './judge-input.ts';
import { contactOf } from './policy.ts';
import { inOrder, ranked, worse, worstKind } from './reason-order.ts';
import { merged } from './sorted-texts.ts';

export type { JudgeInput } from './judge-input.ts';

/**
 * The decision about one runnable image. Synchronous, deterministic; the order of the inputs does not matter. Hashing the
 * inputs is computation too: nothing is read. What `kept` remembers of findings changes no result.
 */
export function judge(input: JudgeInput, kept: Assessments = new Map()): Verdict {
  return decide(input, kept).verdict();
}

/** The decision of `judge`, of which words and hashes are made when somebody asks for them: they are much of the work. */
export interface Decision extends Pick<Verdict, 'kind' | 'changesAt'> {
  told(): ToldVerdict;
  verdict(): Verdict;
  /** What is decided about the same things at a later moment, for less: only what time changes is looked at again. */
  later(moment: number): Decision;
}

export function decide(input: JudgeInput, kept: Assessments = new Map()): Decision {
  return decided(weigh(input, kept));
}

function decided(weighed: Weighed): Decision {
  const { changesAt } = weighed;
  let known: ToldVerdict | undefined;
  const told = (): ToldVerdict => {
    known ??= toldOf(weighed);
    return known;
  };
  return {
    kind: kindOf(weighed),
    ...(changesAt === undefined ? {} : { changesAt }),
    told,
    verdict: () => verdictOf(weighed, told()),
    later: (moment) => decided(weighLater(weighed, moment)),
  };
}

function kindOf({ runs, lines }: Weighed): VerdictKind {
  return worse(worstKind(lines), worstKind(runs));
}

function toldOf({ input, runs, lines, changesAt }: Weighed): ToldVerdict {
  const reasons = lines.map(ranked);
  for (const run of runs) reasons.push(...run.reasons);
  const sorted = inOrder(reasons);
  const kind = worstKind(sorted);
  return {
    kind,
    subject: input.subject,
    reasons: sorted,
    counts: sumOfCounts(runs.map(({ counts }) => counts)),
    ...contactOf(input.policy, kind),
    judgedAt: input.now,
    ...(changesAt === undefined ? {} : { changesAt }),
  };
}

function verdictOf({ input, runs, named }: Weighed, { kind, subject, reasons, counts, ...rest }: ToldVerdict): Verdict {
  const inputs = {
    inventory: input.inventory.hash,
    advisories: input.advisories?.version ?? '',
    policy: input.policyVersion,
    exceptions: hashExceptions(named),
    vex: hashVex(runs),
    clocks: canonicalHash(merged(runs.map(({ clockLines }) => clockLines))),
  };
  return { kind, subject, reasons, counts, inputs, ...rest };
}

interface Weighed {
  readonly input: JudgeInput;
  readonly runs: readonly AssessedRun[];
  /** About the image as a whole, and when time changes them. */
  readonly lines: readonly Reason[];
  readonly linesChange: number | undefined;
  /** Exceptions that speak of the image or a finding. */
  readonly named: ReadonlySet<GrantedException>;
  readonly changesAt: number | undefined;
  /** True when a finding has no clock, and counts as first seen when it is asked about. */
  readonly unclocked: boolean;
  readonly kept: Assessments;
}

function weigh(input: JudgeInput, kept: Assessments): Weighed {
  const { now } = input;
  const exceptions = exceptionsIn(input);
  const forImage = ruleExceptions(exceptions);
  const named = new Set(forImage);
  const running = clocksByFinding(input.clocks);
  const assess = createAssessor(input, kept);
  const runs: AssessedRun[] = [];
  let unclocked = false;
  for (const run of runsOf(input.findings)) {
    const concerning = concerningEach(run, exceptions);
    for (const exception of concerning?.flat() ?? []) named.add(exception);
    const known = running.ofRun(run);
    const clocks = allRunning(run, known, now);
    unclocked ||= clocks !== known;
    runs.push(assess(run, { clocks, exceptions: concerning }, now));
  }
  const lines = imageLines(input, forImage, now);
  const linesChange = imageChange(input, forImage, { lines, now });
  return {
    input,
    runs,
    lines,
    linesChange,
    named,
    changesAt: firstChange(runs, linesChange),
    unclocked,
    kept,
  };
}

/** The exceptions that speak of each finding that applies; undefined where none does of any. */
function concerningEach(
  run: FindingRun,
  exceptions: ImageExceptions,
): readonly (readonly GrantedException[])[] | undefined {
  if (!exceptions.mayConcern(run)) return undefined;
  const concerning = run.map((finding) => (applies(finding) ? exceptions.aboutFinding(finding) : []));
  return concerning.some(({ length }) => length > 0) ? concerning : undefined;
}

/** The very same clocks where each finding has one; else with a new one for each that has none. */
function allRunning(
  run: FindingRun,
  known: readonly (FindingClock | undefined)[],
  now: number,
): readonly FindingClock[] {
  if (known.every((clock) => clock !== undefined)) return known;
  return run.map((finding, at) => known[at] ?? findingClock(finding, clockOfAll(now)));
}

/** The same for a later moment. */
function weighLater(before: Weighed, now: number): Weighed {
  const { kept } = before;
  const input = { ...before.input, now };
  if (before.unclocked) return weigh(input, kept);
  const exceptions = exceptionsIn(input);
  const assess = createAssessor(input, kept);
  const runs = before.runs.map((one) => {
    if (holdsAt(one, now)) return one;
    const { run, clocks } = one;
    return assess(run, { clocks, exceptions: concerningEach(run, exceptions) }, now);
  });
  return { ...before, input, runs, ...imageLater(before, now, exceptions, runs) };
}

function imageLater(before: Weighed, now: number, exceptions: ImageExceptions, runs: readonly AssessedRun[]) {
  const { input, linesChange } = before;
  if (linesChange === undefined || now < linesChange) return { changesAt: firstChange(runs, linesChange) };
  const forImage = ruleExceptions(exceptions);
  const lines = imageLines(input, forImage, now);
  const next = imageChange(input, forImage, { lines, now });
  return { lines, linesChange: next, changesAt: firstChange(runs, next) };
}

function exceptionsIn({ exceptions, repository, subject: digest, platform }: JudgeInput): ImageExceptions {
  return exceptionsOf(exceptions, { repository, digest, platform });
}

const NOTHING = canonicalHash([]);

/** Only exceptions that speak of the image or a finding: granting one for something else makes no other verdict. */
function hashExceptions(named: ReadonlySet<GrantedException>): string {
  if (named.size === 0) return NOTHING;
  return canonicalHash([...named].sort((a, b) => compareText(a.id, b.id)));
}

/** What VEX says of the findings: without it the same as with statements about other things. */
function hashVex(runs: readonly AssessedRun[]): string {
  const marks = runs.flatMap(({ assessed }) =>
    assessed.flatMap(({ finding: { id, package: pkg, vex } }) =>
      vex === undefined ? [] : [[id, pkg.purl, vex] as const],
    ),
  );
  if (marks.length === 0) return NOTHING;
  return canonicalHash(marks.sort((a, b) => compareText(a[0], b[0]) || compareText(a[1], b[1])));
}
