import type { Finding } from '../model/finding.ts';
import type { Package } from '../model/inventory.ts';
import type { FindingRun } from './finding-runs.ts';

/** What about a finding has a clock of its own: a fix, that it is exploited, and each severity it was seen to have at least. */
export const CLOCKED = ['fix', 'kev', 'low', 'medium', 'high', 'critical'] as const;
export type Clocked = (typeof CLOCKED)[number];

/** That a score was seen at or above a threshold, or below it after having been above. */
export interface ScoreMark {
  readonly threshold: number;
  readonly above: boolean;
  /** Epoch ms. */
  readonly at: number;
}

/**
 * When a vulnerability of a package was first seen, and when it was first seen as each of what it may be; what is absent has
 * not been seen. Epoch ms.
 */
export interface Clock extends Readonly<Partial<Record<Clocked, number>>> {
  readonly firstSeen: number;
  /** When the repository saw it first, where that was later: what is told of it is its own history and not that of other places. */
  readonly here?: number;
  readonly scores?: readonly ScoreMark[];
}

/** A clock as it is told: in a repository or, wherever that was, in a manifest. */
export interface ClockReading {
  readonly vulnerability: string;
  /** As `clockPackage` gives it. */
  readonly package: string;
  /** Epoch ms. */
  readonly firstSeen: number;
  /** Without it everything was seen at once. */
  readonly since?: Omit<Clock, 'firstSeen'>;
}

/** Running clocks by `clockKey`. */
export type Clocks = ReadonlyMap<string, Clock>;

/** The clock of a finding. */
export interface FindingClock {
  readonly clock: Clock;
  /** The clock and what it runs for, as they are hashed. */
  readonly line: string;
}

/** Running clocks by what was found. */
export interface FindingClocks {
  /** Of each finding of a run. */
  ofRun(run: FindingRun): readonly (FindingClock | undefined)[];
}

/** Since when it is known, as readers of the repository are told. */
export function toldSince({ here, firstSeen }: Clock): number {
  return here ?? firstSeen;
}

/** The package a clock runs for: type and name. Another version that is still vulnerable does not start a new clock. */
export function clockPackage(pkg: Pick<Package, 'type' | 'name'>): string {
  return `${pkg.type}/${pkg.name}`;
}

/** What a clock runs for, as a key of maps. */
export function clockKey(vulnerability: string, clockedPackage: string): string {
  return `${vulnerability} ${clockedPackage}`;
}

const keys = new WeakMap<Finding, readonly [string, ...string[]]>();

/** Keys of the clocks that may run for a finding: its own, and those of the other ids it may have been seen under. */
export function clockKeysOf(finding: Finding): readonly [string, ...string[]] {
  const known = keys.get(finding);
  if (known) return known;
  const name = clockPackage(finding.package);
  const made = [clockKey(finding.id, name), ...finding.aliases.map((id) => clockKey(id, name))] as const;
  keys.set(finding, made);
  return made;
}

const keysOfRuns = new WeakMap<FindingRun, readonly (readonly [string, ...string[]])[]>();

/** The same of each finding of a run. */
export function clockKeysOfRun(run: FindingRun): readonly (readonly [string, ...string[]])[] {
  const known = keysOfRuns.get(run);
  if (known) return known;
  const made = run.map(clockKeysOf);
  keysOfRuns.set(run, made);
  return made;
}

/** A clock of everything that was seen at once; clocks that ran before there were any for parts of it are such. */
export function clockOfAll(firstSeen: number): Clock {
  return {
    firstSeen,
    fix: firstSeen,
    kev: firstSeen,
    low: firstSeen,
    medium: firstSeen,
    high: firstSeen,
    critical: firstSeen,
  };
}

/** Of two clocks for one thing the earliest of each part. Gives one of the two where it says as much. */
export function earlierClock(a: Clock | undefined, b: Clock | undefined): Clock | undefined {
  if (!a || !b) return a ?? b;
  if (a === b || saysAsMuch(a, b)) return a;
  if (saysAsMuch(b, a)) return b;
  const merged: { -readonly [Name in keyof Clock]: Clock[Name] } = { firstSeen: Math.min(a.firstSeen, b.firstSeen) };
  for (const part of [...CLOCKED, 'here'] as const) {
    const [one, other] = [a[part], b[part]];
    const first = one === undefined ? other : other === undefined ? one : Math.min(one, other);
    if (first !== undefined) merged[part] = first;
  }
  const scores = unitedScores(a.scores, b.scores);
  return scores ? { ...merged, scores } : merged;
}

/** True when `b` adds nothing to `a`. */
export function saysAsMuch(a: Clock, b: Clock): boolean {
  return (
    a.firstSeen <= b.firstSeen &&
    notLater(a.here, b.here) &&
    notLater(a.fix, b.fix) &&
    notLater(a.kev, b.kev) &&
    notLater(a.low, b.low) &&
    notLater(a.medium, b.medium) &&
    notLater(a.high, b.high) &&
    notLater(a.critical, b.critical) &&
    (b.scores === undefined || unitedScores(a.scores, b.scores)?.length === a.scores?.length)
  );
}

function notLater(a: number | undefined, b: number | undefined): boolean {
  return b === undefined || (a !== undefined && a <= b);
}

function unitedScores(a: readonly ScoreMark[] = [], b: readonly ScoreMark[] = []): readonly ScoreMark[] | undefined {
  if (a.length + b.length === 0) return undefined;
  return [...new Map([...a, ...b].map((mark) => [scoreText(mark), mark])).values()];
}

/** The clock of a finding by these clocks, under whichever of its ids it was seen. */
export function clockOf(clocks: Clocks, keysOfFinding: readonly string[]): Clock | undefined {
  let clock: Clock | undefined;
  for (const key of keysOfFinding) clock = earlierClock(clock, clocks.get(key));
  return clock;
}

/** Clocks in any form as the clocks of findings. */
export function clocksByFinding(clocks: readonly ClockReading[] | Clocks | FindingClocks): FindingClocks {
  if ('ofRun' in clocks) return clocks;
  const byKey = 'get' in clocks ? clocks : earliestReadings(clocks);
  return {
    ofRun: (run) =>
      run.map((finding) => {
        const clock = clockOf(byKey, clockKeysOf(finding));
        return clock && findingClock(finding, clock);
      }),
  };
}

/** A million of them are made for a registry: the line of each is made when it is hashed. */
class RunningClock implements FindingClock {
  readonly #finding: Finding;
  readonly clock: Clock;
  #line: string | undefined;

  constructor(finding: Finding, clock: Clock) {
    this.#finding = finding;
    this.clock = clock;
  }

  get line(): string {
    this.#line ??= `${clockKeysOf(this.#finding)[0]} ${clockText(this.clock)}`;
    return this.#line;
  }
}

export function findingClock(finding: Finding, clock: Clock): FindingClock {
  return new RunningClock(finding, clock);
}

/** Readings as running clocks; of several for one thing the earliest counts. */
function earliestReadings(readings: readonly ClockReading[]): Clocks {
  const clocks = new Map<string, Clock>();
  for (const { vulnerability, package: name, firstSeen, since } of readings) {
    const key = clockKey(vulnerability, name);
    const clock = since ? { ...since, firstSeen } : clockOfAll(firstSeen);
    clocks.set(key, earlierClock(clocks.get(key), clock) ?? clock);
  }
  return clocks;
}

const LEVELS = ['low', 'medium', 'high', 'critical'] as const;

/** When it was first seen with at least this severity: a higher one says so too. Undefined when it was not. */
export function sinceLevel(clock: Clock, level: (typeof LEVELS)[number]): number | undefined {
  let since: number | undefined;
  for (let at = LEVELS.length - 1; at >= 0; at -= 1) {
    const reached = LEVELS[at] ?? level;
    const moment = clock[reached];
    if (moment !== undefined && (since === undefined || moment < since)) since = moment;
    if (reached === level) break;
  }
  return since;
}

/** The newest mark of a threshold; a rise seen at the same moment as a fall counts. */
export function newestScore(clock: Clock | undefined, threshold: number): ScoreMark | undefined {
  return clock?.scores
    ?.filter((mark) => mark.threshold === threshold)
    .sort((a, b) => b.at - a.at || Number(b.above) - Number(a.above))[0];
}

/** The last moment at which a score was known to be at or above the threshold though it is below now; undefined when it never was. */
export function scoreFellAt(clock: Clock, threshold: number): number | undefined {
  const thresholds = new Set(clock.scores?.map((mark) => mark.threshold).filter((known) => known >= threshold));
  const falls = [...thresholds].flatMap((known) => {
    const newest = newestScore(clock, known);
    return newest && !newest.above ? [newest.at] : [];
  });
  return falls.length === 0 ? undefined : Math.max(...falls);
}

/** True when two clocks say the same. */
export function sameClock(a: Clock, b: Clock): boolean {
  return (
    a === b ||
    (a.firstSeen === b.firstSeen &&
      a.here === b.here &&
      a.fix === b.fix &&
      a.kev === b.kev &&
      a.low === b.low &&
      a.medium === b.medium &&
      a.high === b.high &&
      a.critical === b.critical &&
      (a.scores === b.scores || scoreTexts(a).join() === scoreTexts(b).join()))
  );
}

/** A clock in a line, the same for the same clock. */
export function clockText(clock: Clock): string {
  let text = String(clock.firstSeen);
  for (const part of CLOCKED) if (clock[part] !== undefined) text += ` ${part}@${clock[part]}`;
  if (clock.here !== undefined) text += ` here@${clock.here}`;
  return clock.scores ? [text, ...scoreTexts(clock)].join(' ') : text;
}

function scoreTexts({ scores = [] }: Clock): string[] {
  return scores.map(scoreText).sort();
}

function scoreText({ threshold, above, at }: ScoreMark): string {
  return `epss${above ? '+' : '-'}${threshold}@${at}`;
}
