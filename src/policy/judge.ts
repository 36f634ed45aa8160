import type { Reason, Verdict } from '../model/verdict.ts';
import { canonicalHash, compareText } from '../oci/canonical.ts';
import { type Assessment, type Assessments, createAssessor } from './assess.ts';
import { clockKeysOf, clockOf, clockOfAll, earliestReadings } from './clocks.ts';
import { countFindings } from './counts.ts';
import { exceptionsOf } from './exception-index.ts';
import { endedByFix } from './exception-match.ts';
import type { GrantedException } from './exceptions.ts';
import type { WeighedFinding } from './finding-lines.ts';
import { imageChange, imageLines, ruleExceptions } from './image-exceptions.ts';
import type { JudgeInput } from './judge-input.ts';
import { compareReasons, worstKind } from './reason-order.ts';

export type { JudgeInput } from './judge-input.ts';

/**
 * The decision about one runnable image. Synchronous, deterministic; the order of the inputs does not matter. Hashing the
 * inputs is computation too: nothing is read. What `kept` remembers of findings changes no result.
 */
export function judge(input: JudgeInput, kept: Assessments = new Map()): Verdict {
  return decide(input, weigh(input, kept, 'now'));
}

/** The same for a moment to come, for the same things as now: what `kept` remembers of now stays. */
export function judgeLater(input: JudgeInput, kept: Assessments): Verdict {
  return decide(input, weigh(input, kept, 'later'));
}

type Kind = Pick<Verdict, 'kind' | 'changesAt'>;

/** The decision of `judge`, of which words and hashes are made when somebody asks for them: they are much of the work. */
export interface Decision extends Kind {
  verdict(): Verdict;
}

export function decideNow(input: JudgeInput, kept: Assessments): Decision {
  const weighed = weigh(input, kept, 'now');
  return { ...kindOf(weighed), verdict: () => decide(input, weighed) };
}

/** The kind alone that `judgeLater` comes to, and when time changes anything about it after that. */
export function kindLater(input: JudgeInput, kept: Assessments): Kind {
  return kindOf(weigh(input, kept, 'later'));
}

function kindOf({ assessed, lines, changesAt }: Weighed): Kind {
  const kind = worstKind([
    { kind: worstKind(lines) },
    ...assessed.map(({ reasons }) => ({ kind: worstKind(reasons) })),
  ]);
  return { kind, ...(changesAt === undefined ? {} : { changesAt }) };
}

function decide(input: JudgeInput, { assessed, lines, named, changesAt }: Weighed): Verdict {
  const reasons = [...lines, ...assessed.flatMap((entry) => entry.reasons)].sort(compareReasons);
  return {
    kind: worstKind(reasons),
    subject: input.subject,
    reasons,
    counts: countFindings(assessed.map(({ countable }) => countable)),
    inputs: {
      inventory: input.inventory.hash,
      advisories: input.advisories?.version ?? '',
      policy: input.policyVersion,
      exceptions: hashExceptions(named),
      vex: hashVex(assessed),
      clocks: canonicalHash([...new Set(assessed.map(({ clockLine }) => clockLine))].sort()),
    },
    judgedAt: input.now,
    ...(changesAt === undefined ? {} : { changesAt }),
  };
}

interface Weighed {
  readonly assessed: readonly Assessment[];
  /** About the image as a whole. */
  readonly lines: readonly Reason[];
  /** Exceptions that speak of the image or a finding. */
  readonly named: ReadonlySet<GrantedException>;
  readonly changesAt: number | undefined;
}

function weigh(input: JudgeInput, kept: Assessments, at: 'now' | 'later'): Weighed {
  const { repository, subject: digest, platform, now } = input;
  const exceptions = exceptionsOf(input.exceptions, { repository, digest, platform });
  const forImage = ruleExceptions(exceptions);
  const named = new Set(forImage);
  const clocks = 'get' in input.clocks ? input.clocks : earliestReadings(input.clocks);
  const assess = createAssessor(input, kept, at);
  const assessed: Assessment[] = [];
  for (const finding of input.findings) {
    if (finding.status === 'not_affected') continue;
    const concerning = exceptions.aboutFinding(finding);
    for (const exception of concerning) named.add(exception);
    const clock = clockOf(clocks, clockKeysOf(finding)) ?? clockOfAll(now);
    const fixSeen = finding.fixed === undefined ? undefined : (clock.fix ?? now);
    const dated = concerning.map((exception) => endedByFix(exception, fixSeen));
    assessed.push(assess(finding, dated, clock));
  }
  const changesAt = earliest([imageChange(input, forImage, now), ...assessed.map(({ nextChange }) => nextChange)]);
  return { assessed, lines: imageLines(input, forImage, now), named, changesAt };
}

/** Only exceptions that speak of the image or a finding: granting one for something else makes no other verdict. */
function hashExceptions(named: ReadonlySet<GrantedException>): string {
  return canonicalHash([...named].sort((a, b) => compareText(a.id, b.id)));
}

/** What VEX says of the findings: without it the same as with statements about other things. */
function hashVex(weighed: readonly WeighedFinding[]): string {
  const marks = weighed.flatMap(({ finding: { id, package: pkg, vex } }) =>
    vex ? [[id, pkg.purl, vex] as const] : [],
  );
  return canonicalHash(marks.sort((a, b) => compareText(a[0], b[0]) || compareText(a[1], b[1])));
}

function earliest(moments: readonly (number | undefined)[]): number | undefined {
  return moments.reduce<number | undefined>(
    (first, moment) => (moment === undefined || (first !== undefined && first <= moment) ? first : moment),
    undefined,
  );
}
