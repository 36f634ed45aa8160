import type { KnownFindings } from '../findings/known-findings.ts';
import { messageOf } from '../platform/errors.ts';
import type { Apart } from './apart.ts';
import { type Computing, type ComputingDeps, createComputing } from './computing.ts';
import { dividePages } from './divide-pages.ts';
import { type ComputedMany, keepAgain, type ManyJudged } from './judge-many.ts';
import type { Judging } from './judging.ts';
import type { Cause } from './ports.ts';
import { add, countOf, nothing, type RejudgeResult } from './rejudge-result.ts';
import type { Subject } from './subjects.ts';

/** So many pages are worth processes of their own. */
const MANY = 4;

export interface RejudgeDeps extends ComputingDeps {
  /** Absent where nothing else can read the database. */
  readonly apart?: Apart | undefined;
  readonly judging: Judging;
}

type Pages = AsyncIterable<readonly Subject[]> | Iterable<readonly Subject[]>;

/** Judges pages; many of them in several processes at once, where there are any. */
export async function rejudgePages(deps: RejudgeDeps, pages: Pages, cause: Cause): Promise<RejudgeResult> {
  const { many, ahead } = await readAhead(pages);
  if (!many || !deps.apart) return rejudgeInTurn(deps, ahead, createComputing(deps, cause));
  const { apart } = deps;
  const { ways, stop } = dividePages(ahead, apart.processes);
  const judged = ways.map((way, at) =>
    rejudgeInTurn(deps, way, createComputing(deps, cause, apart.begin(cause, at))).catch((error: unknown) => {
      stop();
      throw error;
    }),
  );
  // Whatever became of one, the others are writing.
  await Promise.allSettled(judged);
  return (await Promise.all(judged)).reduce(add, nothing);
}

/** Judges page after page: while what one came to is written and made durable, the next is computed. */
async function rejudgeInTurn(
  deps: RejudgeDeps,
  pages: AsyncIterator<readonly Subject[], undefined>,
  computing: Computing,
): Promise<RejudgeResult> {
  const { cause } = computing;
  const known: KnownFindings = new Map();
  let result = nothing;
  let writing: Promise<Written> = Promise.resolve({ result: nothing, kept: true });
  let { value: subjects } = await pages.next();
  let coming = subjects && computing.compute(imagesAmong(subjects));
  while (subjects && coming) {
    let computed = await coming;
    const before = await writing;
    result = add(result, before.result);
    // It counted on clocks that were not kept, or rests on what is no more.
    const outdated = !before.kept || computed === undefined || computed.holds?.() === false;
    if (computed === undefined || outdated) computed = await computing.again(imagesAmong(subjects));
    const others = subjects.filter(({ kind }) => kind !== 'image');
    const part = { computed, others };
    ({ value: subjects } = await pages.next());
    if (outdated) {
      // Nothing that comes is to count on it before it is written.
      const written = await write(deps, part, cause, known);
      writing = Promise.resolve(written);
      coming = subjects && computing.compute(imagesAmong(subjects));
    } else {
      coming = subjects && computing.compute(imagesAmong(subjects));
      writing = write(deps, part, cause, known);
    }
  }
  return add(result, (await writing).result);
}

function imagesAmong(subjects: readonly Subject[]): readonly Subject[] {
  return subjects.filter(({ kind }) => kind === 'image');
}

interface Written {
  readonly result: RejudgeResult;
  /** False when it could not be kept together. */
  readonly kept: boolean;
}

/** Keeps what images came to, and judges what could not be judged with others one by one. */
async function write(
  deps: RejudgeDeps,
  { computed, others }: { readonly computed: ComputedMany; readonly others: readonly Subject[] },
  cause: Cause,
  known: KnownFindings,
): Promise<Written> {
  const { replaced, rest, kept } = await keepOrNone(deps, computed, known);
  let result = replaced.map(countOf).reduce(add, nothing);
  for (const subject of [...rest, ...others]) {
    try {
      const { verdict, previous, changed } = await deps.judging.judgeNow(subject, cause);
      result = add(result, countOf({ kind: verdict.kind, previous: previous?.kind, changed }));
    } catch (error) {
      const { repository, digest } = subject;
      deps.logger.warn({ repository, digest, reason: messageOf(error) }, 'verdict could not be renewed');
      result = add(result, { ...nothing, failed: 1 });
    }
  }
  return { result, kept };
}

/** What keeps many from being written at once is found out, and written down, one by one. */
async function keepOrNone(
  { db, logger }: RejudgeDeps,
  computed: ComputedMany,
  known: KnownFindings,
): Promise<ManyJudged & { readonly kept: boolean }> {
  try {
    return { ...(await keepAgain(db, computed, known)), kept: true };
  } catch (error) {
    const { subjects } = computed;
    logger.warn({ images: subjects.length, reason: messageOf(error) }, 'verdicts are renewed one by one');
    // What is remembered may not have been written.
    known.clear();
    return { replaced: [], rest: subjects, kept: false };
  }
}

/** Pages in their order, and whether there are many. */
async function readAhead(pages: Pages) {
  const all = eachOf(pages);
  const first: (readonly Subject[])[] = [];
  while (first.length < MANY) {
    const { value, done } = await all.next();
    if (done) break;
    first.push(value);
  }
  return { many: first.length === MANY, ahead: eachOf(first, all) };
}

async function* eachOf(...lists: readonly Pages[]): AsyncGenerator<readonly Subject[], undefined> {
  for (const pages of lists) yield* pages;
  return undefined;
}
