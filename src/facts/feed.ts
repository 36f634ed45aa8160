import { clearTimeout, setInterval, setTimeout } from 'node:timers';
import type { DatabaseHandle } from '../db/database.ts';
import { settledChanges } from '../db/settled-changes.ts';
import { projectOf } from '../model/project-name.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { changesBetween, isKnown, positionAt, pruneChanges } from './changes.ts';
import type { Named } from './current.ts';
import { projectsIn } from './current-references.ts';
import { type Cursor, type Position, readCursor, writeCursor } from './cursor.ts';
import { FIRST_STEP, fullStep } from './full-account.ts';
import type { FactsPage, UpstreamPlace } from './page.ts';
import { pageOf, type Told } from './page-of.ts';
import { type Scope, tells, tellsOfProject } from './scope.ts';

export interface FeedDeps {
  readonly database: Pick<DatabaseHandle, 'db' | 'stateOf'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hosts of this registry in references; the first is the one to print. */
  readonly hosts: readonly string[];
  /** What a mirror project with this upstream has copies of. */
  placeOf(upstreamUrl: string): UpstreamPlace;
}

/** What a reader wants to know. */
export interface Wanted {
  readonly scope: Scope;
  /** Where it is; whatever this feed cannot go on from begins a full account. */
  readonly cursor?: string | undefined;
  /** How long an answer without news may take, ms. */
  readonly waitMs: number;
  /** Images and tags to tell of in any case: what the reader has not asked about before. Does not wait then. */
  readonly ask?: { readonly tags: readonly Named[]; readonly images: readonly Named[] } | undefined;
  /** The reader is gone. */
  readonly signal?: AbortSignal;
}

/** Tells readers what is known of the images here, and every change of it. */
export interface Feed {
  /** The next page. Throws `DatabaseError` as the database does. */
  read(wanted: Wanted): Promise<FactsPage>;
  /** Answers whoever waits, now; nobody waits afterwards. */
  close(): void;
}

const LOOK_EVERY_MS = 200;
const CHANGES_AT_ONCE = 2000;
const PRUNE_EVERY_MS = 3600_000;
/** More readers than this are answered without waiting. */
const MOST_WAITING = 1000;

/** Opens the feed over a database. */
export function createFeed(deps: FeedDeps): Feed {
  const { db } = deps.database;
  const newest = settledChanges(deps.database);
  const waiting = new Map<() => void, number>();
  let closed = false;
  let looking: NodeJS.Timeout | undefined;

  const pruning = setInterval(() => {
    newest()
      .then((settled) => pruneChanges(db, settled))
      .catch((error: unknown) => deps.logger.warn({ problem: messageOf(error) }, 'old changes could not be removed'));
  }, PRUNE_EVERY_MS);
  pruning.unref();

  /** Looks for news while somebody waits. */
  function look(): void {
    looking ??= setTimeout(() => {
      void lookNow();
    }, LOOK_EVERY_MS);
  }

  async function lookNow(): Promise<void> {
    // A database that is away is for those to learn of who ask it next.
    const settled = await newest().catch(() => 0);
    looking = undefined;
    for (const [wake, id] of waiting) if (settled > id) wake();
    if (waiting.size > 0) look();
  }

  /** Until there is more than `id`, the time is over, or the reader is gone; at once, and false, when nobody may wait. */
  function news(id: number, ms: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (closed || signal?.aborted || waiting.size >= MOST_WAITING) return Promise.resolve(false);
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        waiting.delete(wake);
        resolve(true);
      };
      const timer = setTimeout(wake, ms);
      signal?.addEventListener('abort', wake);
      waiting.set(wake, id);
      look();
    });
  }

  async function full(wanted: Wanted, at: Position, step: NonNullable<Cursor['full']>): Promise<FactsPage> {
    const { scope } = wanted;
    const { next, tags, ...names } = await fullStep(db, scope, step);
    const isFirst = step.phase === FIRST_STEP.phase && step.after[0] === '';
    const quarantined = isFirst ? 'all' : [];
    const told: Told = { ...names, gone: [], tags: [], knownTags: tags, quarantined };
    const page = await pageOf(deps, db, withAsked(told, isFirst ? undefined : wanted.ask));
    const covers = scope.projects === 'all' ? ('all' as const) : [...scope.projects];
    return {
      ...(isFirst ? { reset: true, covers } : {}),
      ...page,
      // Whoever begins anew knows nothing that could be over.
      references: page.references?.filter(({ policies }) => policies !== null),
      complete: false,
      cursor: writeCursor({ at, scope: scope.id, ...(next ? { full: next } : {}) }),
    };
  }

  async function changes(wanted: Wanted, at: Position, upTo: number): Promise<FactsPage & { readonly news: boolean }> {
    const { scope } = wanted;
    const rows = await changesBetween(db, at.id, upTo, CHANGES_AT_ONCE);
    const last = rows.at(-1) ?? at;
    const told = toldOf(rows.filter(({ kind, repository }) => concerns(scope, kind, repository)));
    // The policy of the installation has no name of a project. What is named beside it may be gone, and is told to be.
    const references = told.references.includes('')
      ? [
          ...told.references.filter((project) => project !== ''),
          ...(await projectsIn(db, scope)),
          ...[...scope.also].map(projectOf),
        ]
      : told.references;
    const page = await pageOf(deps, db, withAsked({ ...told, references }, wanted.ask));
    return {
      ...page,
      news:
        page.trusted.length + page.upstreams.length + page.repositories.length > 0 ||
        (page.quarantined ?? []).length + (page.references ?? []).length > 0,
      complete: last.id >= upTo || rows.length < CHANGES_AT_ONCE,
      cursor: writeCursor({ at: { id: last.id, mark: last.mark }, scope: scope.id }),
    };
  }

  return {
    async read(wanted) {
      const cursor = readCursor(wanted.cursor);
      const goesOn = cursor?.scope === wanted.scope.id && (await isKnown(db, cursor.at));
      if (!goesOn) return full(wanted, await positionAt(db, await newest()), FIRST_STEP);
      if (cursor.full) return full(wanted, cursor.at, cursor.full);
      const until = performance.now() + wanted.waitMs;
      let { at } = cursor;
      for (;;) {
        const { news: isNew, ...page } = await changes(wanted, at, await newest());
        const left = until - performance.now();
        if (isNew || !page.complete || left <= 0 || wanted.ask) return page;
        // Changes of others are passed over.
        at = readCursor(page.cursor)?.at ?? at;
        if (!(await news(at.id, left, wanted.signal))) return page;
      }
    },
    close() {
      closed = true;
      clearInterval(pruning);
      for (const wake of waiting.keys()) wake();
      clearTimeout(looking);
    },
  };
}

/** What readers of every scope are told. */
const EVERYBODYS: ReadonlySet<string> = new Set(['trust', 'quarantine']);

function concerns(scope: Scope, kind: string, repository: string): boolean {
  if (EVERYBODYS.has(kind)) return true;
  if (kind === 'upstream') return tellsOfProject(scope, repository);
  if (kind !== 'policy') return tells(scope, repository);
  return (
    repository === '' ||
    tellsOfProject(scope, repository) ||
    scope.also.values().some((one) => projectOf(one) === repository)
  );
}

/** What changed, each thing once. */
function toldOf(rows: readonly { readonly kind: string; readonly repository: string; readonly item: string }[]): Told {
  const once = (kind: string): Named[] => [
    ...new Map(
      rows
        .filter((row) => row.kind === kind)
        .map(({ repository, item }) => [`${repository}\n${item}`, { repository, item }]),
    ).values(),
  ];
  const upstreams = once('upstream').map(({ repository }) => repository);
  return {
    gone: once('repository').map(({ repository }) => repository),
    tags: once('tag'),
    knownTags: [],
    images: once('image'),
    trust: once('trust').map(({ item }) => item),
    upstreams,
    // A project that is there again under its name has no policy of its own yet.
    references: [...new Set([...once('policy').map(({ repository }) => repository), ...upstreams])],
    quarantined: once('quarantine').map(({ item }) => item),
  };
}

function withAsked(told: Told, ask: Wanted['ask']): Told {
  if (!ask) return told;
  const projects = [...ask.tags, ...ask.images].map(({ repository }) => projectOf(repository));
  return {
    ...told,
    tags: [...told.tags, ...ask.tags],
    images: [...told.images, ...ask.images],
    references: [...new Set([...told.references, ...projects])],
  };
}
