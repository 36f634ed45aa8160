import type { Reason, ToldVerdict } from '../model/verdict.ts';
import { compareText } from '../oci/canonical.ts';
import { breathe } from '../platform/breathe.ts';
import type { Decision } from '../policy/judge.ts';
import type { ComingPolicy } from '../policy/policy-timeline.ts';
import type { Subject } from '../verdicts/subjects.ts';
import { differingLines } from '../verdicts/verdict-store.ts';
import type { ComingChange } from './outcome.ts';

/** Changes of one image that are followed: beyond it somebody excepts every finding for another time. */
const STEPS = 200;
const REPOSITORIES_NAMED = 20;
/** Images followed before others get a turn. */
const SLICE = 5;

type Event = Pick<ComingChange, 'event' | 'subject'>;

interface Entry extends Event {
  readonly at: number;
  images: number;
  blocked: number;
  allowed: number;
  running: number;
  readonly repositories: Set<string>;
}

/** What is known of a manifest that is followed. */
interface Followed {
  /** Containers whose next pull gets it. */
  readonly runs: number;
  /** Policies of its project that are to come. */
  readonly coming: readonly ComingPolicy[];
}

/** Collects what time alone changes, moment by moment. */
export interface Calendar {
  /** Follows a manifest from a decision on. */
  follow(subject: Subject, decision: Decision, about: Followed): Promise<void>;
  note(at: number, event: Event): void;
  list(): readonly ComingChange[];
  /** True when something changes more often than was followed. */
  readonly cut: boolean;
}

/** Changes until a moment, itself included. */
export function createCalendar(until: number): Calendar {
  const entries = new Map<string, Entry>();
  let cut = false;
  let followed = 0;

  function entryOf(at: number, { event, subject }: Event): Entry {
    const key = `${at} ${event} ${subject}`;
    const known = entries.get(key);
    if (known) return known;
    const entry = {
      at,
      event,
      subject,
      images: 0,
      blocked: 0,
      allowed: 0,
      running: 0,
      repositories: new Set<string>(),
    };
    entries.set(key, entry);
    return entry;
  }

  function add(
    subject: Subject,
    before: ToldVerdict,
    after: ToldVerdict,
    at: number,
    { runs, coming }: Followed,
  ): void {
    const blocked = before.kind !== 'block' && after.kind === 'block';
    const allowed = before.kind === 'block' && after.kind !== 'block';
    const begins = coming.find(({ from }) => from === at);
    const told = eventsOf(before, after, at);
    const all = begins ? [...told.filter(({ event }) => IS_APART.has(event)), beginningOf(begins)] : told;
    const events = new Map(all.map((event) => [`${event.event} ${event.subject}`, event]));
    for (const event of events.values()) {
      const entry = entryOf(at, event);
      entry.images += 1;
      entry.blocked += Number(blocked);
      entry.allowed += Number(allowed);
      if (blocked) entry.running += runs;
      if (blocked || allowed) entry.repositories.add(subject.repository);
    }
  }

  return {
    get cut() {
      return cut;
    },
    async follow(subject, decision, about) {
      if (decision.changesAt === undefined || decision.changesAt > until) return;
      let before = decision;
      for (let step = 0; before.changesAt !== undefined && before.changesAt <= until; step += 1) {
        if (step === STEPS) {
          cut = true;
          return;
        }
        if (followed++ % SLICE === 0) await breathe();
        const at = before.changesAt;
        const after = before.later(at);
        add(subject, before.told(), after.told(), at, about);
        before = after;
      }
    },
    note(at, event) {
      if (at <= until) entryOf(at, event);
    },
    list: () =>
      [...entries.values()]
        .sort((a, b) => a.at - b.at || compareText(a.event, b.event) || compareText(a.subject, b.subject))
        .map(({ repositories, ...entry }) => ({
          ...entry,
          repositories: [...repositories].sort(compareText).slice(0, REPOSITORIES_NAMED),
        })),
  };
}

/** What happens whether or not another policy begins; the rest is then its doing. */
const IS_APART: ReadonlySet<Event['event']> = new Set(['exception-begins', 'exception-ends']);

function beginningOf({ versions = [] }: ComingPolicy): Event {
  return { event: 'policy-begins', subject: `version ${versions.join(', ')}` };
}

/** What happened at that moment, told from the lines that came and went. */
function eventsOf(before: ToldVerdict, after: ToldVerdict, at: number): readonly Event[] {
  const { added, removed } = differingLines(before, after);
  const ended = removed.filter(({ suppressedBy }) => suppressedBy !== undefined && suppressedBy.until <= at);
  const events = [
    ...ended.map(({ suppressedBy }): Event => ({ event: 'exception-ends', subject: suppressedBy?.exception ?? '' })),
    ...added.flatMap((reason) => eventOf(reason, at) ?? []),
  ];
  // Counts alone may change: something excepted that no rule asks for.
  return events.length > 0 ? events : [{ event: 'other', subject: 'counts' }];
}

function eventOf({ rule, deadline, suppressedBy, severity, message }: Reason, at: number): Event | undefined {
  if (rule === 'platform') return undefined;
  if (suppressedBy !== undefined) return { event: 'exception-begins', subject: suppressedBy.exception };
  if (deadline === at) return { event: 'grace-ends', subject: severity };
  if (rule === 'end-of-life') return { event: 'end-of-life', subject: message };
  if (rule === 'advisory-age') return { event: 'advisory-age', subject: message };
  return undefined;
}
