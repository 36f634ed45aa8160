import type { Finding } from '../model/finding.ts';
import type { Reason, ToldVerdict, Verdict, VerdictKind } from '../model/verdict.ts';
import { canonicalHash, compareText } from '../oci/canonical.ts';
import { type Assessment, type Assessments, type Assessor, createAssessor } from './assess.ts';
import { type Clock, clockOfAll, clocksByFinding, type FindingClock, findingClock } from './clocks.ts';
import { countFindings } from './counts.ts';
import { exceptionsOf, type ImageExceptions } from './exception-index.ts';
import { endedByFix } from './exception-match.ts';
import type { GrantedException } from './exceptions.ts';
import type { WeighedFinding } from './finding-lines.ts';
import { imageChange, imageLines, ruleExceptions } from './image-exceptions.ts';
import type { JudgeInput } from './judge-input.ts';
import { contactOf } from './policy.ts';
import { compareReasons, worse, worstKind } from './reason-order.ts';

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

function kindOf({ assessed, lines }: Weighed): VerdictKind {
  return worse(worstKind(lines), worstKind(assessed));
}

function toldOf({ input, assessed, lines, changesAt }: Weighed): ToldVerdict {
  const reasons = [...lines];
  for (const entry of assessed) reasons.push(...entry.reasons);
  reasons.sort(compareReasons);
  const kind = worstKind(reasons);
  return {
    kind,
    subject: input.subject,
    reasons,
    counts: countFindings(assessed.map(({ countable }) => countable)),
    ...contactOf(input.policy, kind),
    judgedAt: input.now,
    ...(changesAt === undefined ? {} : { changesAt }),
  };
}

function verdictOf(
  { input, assessed, clocks, named }: Weighed,
  { kind, subject, reasons, counts, ...rest }: ToldVerdict,
): Verdict {
  const inputs = {
    inventory: input.inventory.hash,
    advisories: input.advisories?.version ?? '',
    policy: input.policyVersion,
    exceptions: hashExceptions(named),
    vex: hashVex(assessed),
    clocks: canonicalHash([...new Set(clocks.map(({ line }) => line))].sort()),
  };
  return { kind, subject, reasons, counts, inputs, ...rest };
}

interface Weighed {
  readonly input: JudgeInput;
  readonly assessed: readonly Assessment[];
  /** Of each of them. */
  readonly clocks: readonly FindingClock[];
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
  const assessed: Assessment[] = [];
  const clocks: FindingClock[] = [];
  let unclocked = false;
  for (const finding of input.findings) {
    if (finding.status === 'not_affected') continue;
    const concerning = exceptions.aboutFinding(finding);
    for (const exception of concerning) named.add(exception);
    const known = running.of(finding);
    unclocked ||= known === undefined;
    const clocked = known ?? findingClock(finding, clockOfAll(now));
    clocks.push(clocked);
    assessed.push(assessAt(assess, finding, concerning, clocked.clock, now));
  }
  const linesChange = imageChange(input, forImage, now);
  return {
    input,
    assessed,
    clocks,
    lines: imageLines(input, forImage, now),
    linesChange,
    named,
    changesAt: earliest(linesChange, assessed),
    unclocked,
    kept,
  };
}

/** The same for a later moment. */
function weighLater(before: Weighed, now: number): Weighed {
  const { kept, clocks } = before;
  const input = { ...before.input, now };
  if (before.unclocked) return weigh(input, kept);
  const exceptions = exceptionsIn(input);
  const assess = createAssessor(input, kept);
  const assessed = before.assessed.map((entry, at) => {
    const { finding, nextChange, steady } = entry;
    const clocked = clocks[at];
    if (clocked === undefined || (steady && (nextChange === undefined || now < nextChange))) return entry;
    return assessAt(assess, finding, exceptions.aboutFinding(finding), clocked.clock, now);
  });
  return { ...before, input, assessed, ...imageLater(before, now, exceptions, assessed) };
}

function imageLater(before: Weighed, now: number, exceptions: ImageExceptions, assessed: readonly Assessment[]) {
  const { input, linesChange } = before;
  if (linesChange === undefined || now < linesChange) return { changesAt: earliest(linesChange, assessed) };
  const forImage = ruleExceptions(exceptions);
  const next = imageChange(input, forImage, now);
  return { lines: imageLines(input, forImage, now), linesChange: next, changesAt: earliest(next, assessed) };
}

function exceptionsIn({ exceptions, repository, subject: digest, platform }: JudgeInput): ImageExceptions {
  return exceptionsOf(exceptions, { repository, digest, platform });
}

function assessAt(
  assess: Assessor,
  finding: Finding,
  concerning: readonly GrantedException[],
  clock: Clock,
  now: number,
): Assessment {
  if (concerning.length === 0) return assess(finding, concerning, clock, now);
  const fixSeen = finding.fixed === undefined ? undefined : (clock.fix ?? now);
  return assess(
    finding,
    concerning.map((exception) => endedByFix(exception, fixSeen)),
    clock,
    now,
  );
}

/** Only exceptions that speak of the image or a finding: granting one for something else makes no other verdict. */
function hashExceptions(named: ReadonlySet<GrantedException>): string {
  return canonicalHash([...named].sort((a, b) => compareText(a.id, b.id)));
}

/** What VEX says of the findings: without it the same as with statements about other things. */
function hashVex(weighed: readonly WeighedFinding[]): string {
  const marks = weighed
    .filter(({ finding }) => finding.vex !== undefined)
    .map(({ finding: { id, package: pkg, vex } }) => [id, pkg.purl, vex] as const);
  return canonicalHash(marks.sort((a, b) => compareText(a[0], b[0]) || compareText(a[1], b[1])));
}

function earliest(first: number | undefined, assessed: readonly Assessment[]): number | undefined {
  let moment = first;
  for (const { nextChange } of assessed)
    if (nextChange !== undefined && (moment === undefined || nextChange < moment)) moment = nextChange;
  return moment;
}
