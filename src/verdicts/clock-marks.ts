import { CLOCKED, type Clock, type Clocked, clockOfAll, earlierClock, type ScoreMark } from '../policy/clocks.ts';

/** A part of a clock that was started: `fix`, `high`, `epss+0.5`, and `seen` for the clock itself. */
export interface Mark {
  readonly name: string;
  /** Epoch ms. */
  readonly at: number;
}

export const SEEN = 'seen';
/** When a repository saw first what another place had seen before; never in the clocks of a manifest. */
const HERE = 'here';
const RADIX = 36;
const PARTS: ReadonlySet<string> = new Set(CLOCKED);
const SCORE = /^epss([+-])(\d+(?:\.\d+)?(?:e-\d+)?)$/;

/** The name of a mark about a score. */
export function scoreName({ threshold, above }: Omit<ScoreMark, 'at'>): string {
  return `epss${above ? '+' : '-'}${threshold}`;
}

/** The marks that make a clock. */
export function marksOf(clock: Clock): Mark[] {
  return [
    { name: SEEN, at: clock.firstSeen },
    ...(clock.here === undefined ? [] : [{ name: HERE, at: clock.here }]),
    ...CLOCKED.flatMap((name) => (clock[name] === undefined ? [] : [{ name, at: clock[name] }])),
    ...(clock.scores ?? []).map((score) => ({ name: scoreName(score), at: score.at })),
  ];
}

/** True when a clock has a mark for each mark of the other one, whichever is earlier. */
export function knowsParts(clock: Clock, { fix, kev, low, medium, high, critical, scores }: Clock): boolean {
  return (
    (fix === undefined || clock.fix !== undefined) &&
    (kev === undefined || clock.kev !== undefined) &&
    (low === undefined || clock.low !== undefined) &&
    (medium === undefined || clock.medium !== undefined) &&
    (high === undefined || clock.high !== undefined) &&
    (critical === undefined || clock.critical !== undefined) &&
    (scores === undefined || hasScores(clock, scores))
  );
}

/** Scores rise and fall again and again: each moment is a mark. */
function hasScores({ scores: known = [] }: Clock, scores: readonly ScoreMark[]): boolean {
  return scores.every((score) =>
    known.some(({ threshold, above, at }) => threshold === score.threshold && above === score.above && at === score.at),
  );
}

/** A clock with one mark more: of two for one part the earliest counts. Marks nobody knows are passed over. */
export function withMark(clock: Clock, { name, at }: Mark): Clock {
  if (name === SEEN) return at < clock.firstSeen ? { ...clock, firstSeen: at } : clock;
  if (name === HERE) return at < (clock.here ?? Number.POSITIVE_INFINITY) ? { ...clock, here: at } : clock;
  if (PARTS.has(name)) return earlierClock(clock, { firstSeen: clock.firstSeen, [name as Clocked]: at }) ?? clock;
  const [, sign, threshold] = SCORE.exec(name) ?? [];
  if (threshold === undefined) return clock;
  const mark = { threshold: Number(threshold), above: sign === '+', at };
  return earlierClock(clock, { firstSeen: clock.firstSeen, scores: [mark] }) ?? clock;
}

/** Marks as they are kept beside the moment of the first sighting, to be appended to. */
export function marksText(marks: readonly Mark[]): string {
  return marks.map(({ name, at }) => `${name}@${at.toString(RADIX)} `).join('');
}

/** A clock as it is kept; one without marks is of a time when all of it began at once. */
export function readClock(firstSeen: number, marks: string | null): Clock {
  if (marks === null) return clockOfAll(firstSeen);
  return marks.split(' ').reduce<Clock>(
    (clock, token) => {
      const [name = '', at = ''] = token.split('@');
      return token === '' ? clock : withMark(clock, { name, at: Number.parseInt(at, RADIX) });
    },
    { firstSeen },
  );
}
