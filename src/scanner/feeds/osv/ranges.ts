import type { AffectedRange } from '../../matcher/lookup.ts';
import { compareVersions, type VersionScheme } from '../../versions/index.ts';
import type { FeedProblem } from '../advisory.ts';
import type { OsvEvent } from './schema.ts';

type Kind = 'introduced' | 'fixed' | 'last_affected';
interface Event {
  readonly kind: Kind;
  readonly version: string;
}
interface Outcome {
  readonly ranges: readonly AffectedRange[];
  readonly problems: readonly (readonly [FeedProblem, string])[];
}

/**
 * Turns the events of one OSV range into intervals. Events listed in pairs are taken as they stand, so that an inverted
 * pair stays an empty interval (nothing is affected) instead of an endless one; others are sorted first, which needs the scheme.
 */
export function rangesOfEvents(listed: readonly OsvEvent[], scheme: VersionScheme | undefined): Outcome {
  const problems: [FeedProblem, string][] = [];
  const events = listed.flatMap(eventsOf);
  const valid = events.filter(({ version }) => version === '0' || isVersion(scheme, version));
  for (const bad of events.filter((event) => !valid.includes(event))) problems.push(['invalid-version', bad.version]);
  // Without its bound an interval would be endless: an unreadable event spoils the range it stands in.
  if (valid.length < events.length) return { ranges: [], problems };
  const ordered = isPaired(events) ? events : sortEvents(events, scheme);
  if (ordered === undefined) return { ranges: [], problems: [['unordered-events', describe(events)]] };
  const ranges: AffectedRange[] = [];
  for (const range of pair(ordered)) {
    if (isEmpty(range, scheme)) problems.push(['empty-range', describe(events)]);
    else ranges.push(range);
  }
  return { ranges, problems };
}

function eventsOf(event: OsvEvent): readonly Event[] {
  const kinds: readonly Kind[] = ['introduced', 'fixed', 'last_affected'];
  return kinds.flatMap((kind) => {
    const version = event[kind];
    return version === undefined ? [] : [{ kind, version }];
  });
}

function isPaired(events: readonly Event[]): boolean {
  return events.every((event, i) => (event.kind === 'introduced') === (i % 2 === 0));
}

/** Ascending by version, `introduced` first among equals; undefined when that cannot be known. */
function sortEvents(events: readonly Event[], scheme: VersionScheme | undefined): readonly Event[] | undefined {
  const openers = events.filter(({ kind }) => kind === 'introduced');
  // One beginning needs no order: the first end listed closes it.
  if (openers.length === 1) return [...openers, ...events.filter(({ kind }) => kind !== 'introduced')];
  if (scheme === undefined) return undefined;
  return [...events].sort((a, b) => compareEvents(scheme, a, b));
}

function compareEvents(scheme: VersionScheme, a: Event, b: Event): number {
  if (a.version === b.version) return Number(b.kind === 'introduced') - Number(a.kind === 'introduced');
  if (a.version === '0' || b.version === '0') return a.version === '0' ? -1 : 1;
  return compareVersions(scheme, a.version, b.version) ?? 0;
}

/** Walks the events: a beginning opens an interval, the next end closes it, what comes between changes nothing. */
function pair(events: readonly Event[]): readonly AffectedRange[] {
  const ranges: AffectedRange[] = [];
  let open: string | undefined;
  for (const { kind, version } of events) {
    if (kind === 'introduced') open ??= version;
    else if (open !== undefined) {
      ranges.push({ ...from(open), ...(kind === 'fixed' ? { fixed: version } : { lastAffected: version }) });
      open = undefined;
    }
  }
  if (open !== undefined) ranges.push(from(open));
  return ranges;
}

/** OSV writes "from the very first version on" as 0. */
function from(introduced: string): AffectedRange {
  return introduced === '0' ? {} : { introduced };
}

function isEmpty(range: AffectedRange, scheme: VersionScheme | undefined): boolean {
  if (range.fixed === '0') return true;
  const end = range.fixed ?? range.lastAffected;
  if (end === undefined || range.introduced === undefined || scheme === undefined) return false;
  const order = compareVersions(scheme, range.introduced, end);
  return order === 1 || (order === 0 && range.fixed !== undefined);
}

function isVersion(scheme: VersionScheme | undefined, version: string): boolean {
  return scheme === undefined ? version !== '' : compareVersions(scheme, version, version) !== undefined;
}

function describe(events: readonly Event[]): string {
  return events
    .slice(0, 6)
    .map(({ kind, version }) => `${kind} ${version}`)
    .join(', ');
}
