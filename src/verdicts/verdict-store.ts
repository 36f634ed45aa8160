import { randomInt } from 'node:crypto';
import { batches } from '../db/batches.ts';
import { type Db, type Tx, unsynced } from '../db/database.ts';
import type { NewRow } from '../db/schema.ts';
import { statement } from '../db/statement.ts';
import { foundIn } from '../findings/found.ts';
import { keepFindings } from '../findings/keep.ts';
import type { Reason, ToldVerdict, Verdict } from '../model/verdict.ts';
import { addEvents } from '../notify/outbox.ts';
import type { Digest } from '../oci/digest.ts';
import { type CauseDetail, causeDetailOf } from './cause-detail.ts';
import { startClocks } from './clock-store.ts';
import type { Cause } from './ports.ts';
import type { Reckoning } from './reckon.ts';
import { type Subject, subjectKey } from './subjects.ts';
import { verdictChanged } from './verdict-events.ts';
import { readDocument } from './verdict-list.ts';

/** A verdict as it is kept. */
export interface StoredVerdict {
  readonly verdict: Verdict;
  /** Version of the advisory database it is known to hold for. */
  readonly advisories: string;
  readonly policyVersion: number;
  readonly revision: Revision;
}

/** Tells whether a kept verdict is still the one that was read. */
export interface Revision {
  readonly judgedAt: number;
  readonly changesAt: number | null;
}

/** What is different between a verdict and the one before it. */
export interface ChangeDocument extends Pick<Verdict, 'counts' | 'inputs'> {
  readonly added: readonly Reason[];
  readonly removed: readonly Reason[];
  /** Absent for the first verdict, and in older lines. */
  readonly causeDetail?: CauseDetail;
}

/** The verdict kept for a manifest of a repository; undefined when it was never judged. */
export async function readVerdict(db: Db, repositoryId: string, digest: Digest): Promise<StoredVerdict | undefined> {
  const [row] = (await selectVerdict(db, { repositoryId, digest })).rows;
  return row && asStored(row);
}

const selectVerdict = statement((db, { repositoryId, digest }: Pick<Subject, 'repositoryId' | 'digest'>) =>
  db
    .selectFrom('verdicts')
    .select(['document', 'advisories', 'policy_version', 'judged_at', 'changes_at'])
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest),
);

function asStored(row: {
  readonly document: string;
  readonly advisories: string;
  readonly policy_version: number;
  readonly judged_at: number;
  readonly changes_at: number | null;
}): StoredVerdict {
  return {
    verdict: readDocument(row),
    advisories: row.advisories,
    policyVersion: row.policy_version,
    revision: { judgedAt: row.judged_at, changesAt: row.changes_at },
  };
}

/** The verdicts kept for many manifests, by `subjectKey`; those never judged are left out. */
export async function readVerdicts(db: Db, subjects: readonly Subject[]): Promise<ReadonlyMap<string, StoredVerdict>> {
  const wanted = new Set(subjects.map(subjectKey));
  const found = new Map<string, StoredVerdict>();
  for (const [repositoryId, own] of Map.groupBy(subjects, (subject) => subject.repositoryId)) {
    const digests = own.map(({ digest }) => digest);
    const rows = await db
      .selectFrom('verdicts')
      .select(['digest', 'document', 'advisories', 'policy_version', 'judged_at', 'changes_at'])
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', digests)
      .execute();
    for (const row of rows) {
      const key = `${repositoryId} ${row.digest}`;
      if (wanted.has(key)) found.set(key, asStored(row));
    }
  }
  return found;
}

/**
 * Puts a verdict in the place of the one it was computed against, starts the clocks it counts on, and notes a change of kind
 * or reasons and has it told, in one transaction. Gives whether it was a change, or `lost` when the kept verdict has been replaced or marked meanwhile.
 */
export async function replaceVerdict(
  db: Db,
  subject: Subject,
  before: StoredVerdict | undefined,
  verdict: Verdict,
  how: { readonly cause: Cause; readonly reckoning?: Reckoning },
): Promise<'changed' | 'same' | 'lost'> {
  const { repositoryId, repository, digest } = subject;
  const { reckoning } = how;
  const change = describeChange(before?.verdict, verdict);
  const cause = causeOf(how.cause, before, change);
  // An image without a verdict is judged when it is asked for, and after every start: one that a power cut takes is made again.
  const writer = before ? db : unsynced(db);
  return writer.transaction().execute(async (tx) => {
    if (reckoning) await startClocks(tx, [{ repositoryId, digest, reckoning }]);
    const row = {
      kind: verdict.kind,
      document: JSON.stringify(verdict),
      advisories: verdict.inputs.advisories,
      policy_version: verdict.inputs.policy,
      judged_at: verdict.judgedAt,
      changes_at: verdict.changesAt ?? null,
      becomes: verdict.becomes ? JSON.stringify(verdict.becomes) : null,
    };
    const written = before
      ? (
          await tx
            .updateTable('verdicts')
            .set(row)
            .where('repository_id', '=', repositoryId)
            .where('digest', '=', digest)
            .where('judged_at', '=', before.revision.judgedAt)
            .where('changes_at', before.revision.changesAt === null ? 'is' : '=', before.revision.changesAt)
            .executeTakeFirst()
        ).numUpdatedRows
      : (await insertVerdict(tx, { repository_id: repositoryId, digest, ...row })).changed;
    if (!written) return 'lost';
    if (subject.kind !== 'index') await keepListed(tx, subject, verdict);
    if (!change) return 'same';
    await insertVerdictChange(tx, {
      repository_id: repositoryId,
      repository,
      digest,
      previous: before?.verdict.kind ?? null,
      kind: verdict.kind,
      cause,
      document: JSON.stringify(change),
      at: verdict.judgedAt,
    });
    await addEvents(tx, [verdictChanged(subject, before?.verdict.kind, verdict, { change, cause })]);
    return 'changed';
  });
}

function keepListed(tx: Tx, subject: Subject, verdict: Verdict): Promise<void> {
  return keepFindings(tx, [{ ...subject, found: foundIn(verdict, new WeakMap()) }], new Map(), { newest: true });
}

const insertVerdict = statement((db, row: NewRow<'verdicts'>) =>
  db
    .insertInto('verdicts')
    .values({
      repository_id: row.repository_id,
      digest: row.digest,
      kind: row.kind,
      document: row.document,
      advisories: row.advisories,
      policy_version: row.policy_version,
      judged_at: row.judged_at,
      changes_at: row.changes_at,
      becomes: row.becomes,
    })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing()),
);

const insertVerdictChange = statement((db, row: NewRow<'verdict_changes'>) =>
  db.insertInto('verdict_changes').values({
    repository_id: row.repository_id,
    repository: row.repository,
    digest: row.digest,
    previous: row.previous,
    kind: row.kind,
    cause: row.cause,
    document: row.document,
    at: row.at,
  }),
);

/** What marks verdicts by hand. */
const MARKING = ['exception', 'vex', 'quarantine'] as const satisfies readonly Cause[];
type Marking = (typeof MARKING)[number];

/**
 * Marks verdicts as no longer to be relied on: whoever needs one next judges anew. One statement, so that it holds from
 * that moment on for every replica. With a project only those of its repositories, with digests only those on these manifests.
 */
export async function markStale(
  db: Db,
  cause: Marking,
  { projectId, digests }: { readonly projectId?: string; readonly digests?: readonly Digest[] } = {},
): Promise<void> {
  // A value no verdict has, and another one each time: a judgement under way that read older inputs cannot overwrite it.
  const mark = -(randomInt(1, 2 ** 46) * MARKING.length + MARKING.indexOf(cause));
  let update = db.updateTable('verdicts').set({ changes_at: mark });
  if (projectId !== undefined)
    update = update.where('repository_id', 'in', (query) =>
      query.selectFrom('repositories').select('id').where('project_id', '=', projectId),
    );
  if (digests === undefined) {
    await update.execute();
    return;
  }
  for (const batch of batches(digests)) await update.where('digest', 'in', batch).execute();
}

/** What a verdict was marked for by `markStale`; undefined for a moment of time. */
export function staleCause(changesAt: number): Marking | undefined {
  return changesAt < 0 ? MARKING[-changesAt % MARKING.length] : undefined;
}

/**
 * Why a verdict was replaced: of what is judged again because of its moment, some was marked by hand, or came upon an exception whose mark is still
 * to come.
 */
export function causeOf(cause: Cause, before: StoredVerdict | undefined, change: ChangeDocument | undefined): Cause {
  if (cause !== 'time' || !before) return cause;
  const marked = staleCause(before.revision.changesAt ?? 0);
  return marked ?? (change?.causeDetail?.exceptions?.replaced ? 'exception' : cause);
}

/** What is different in kind or reasons; undefined when nothing is. */
export function describeChange(before: Verdict | undefined, after: Verdict): ChangeDocument | undefined {
  const { added, removed } = differingLines(before, after);
  if (before?.kind === after.kind && added.length + removed.length === 0) return undefined;
  const { counts, inputs } = after;
  const causeDetail = before && causeDetailOf(before, after, { added, removed });
  const [came, gone] = [added.map(asHistory), removed.map(asHistory)];
  return { counts, inputs, added: came, removed: gone, ...(causeDetail ? { causeDetail } : {}) };
}

/** Many verdicts share their lines, and then what is kept of them. */
const lines = new WeakMap<Reason, Reason>();

/** What every source said of a severity is in the verdict; the line alone is history. */
function asHistory(reason: Reason): Reason {
  const known = lines.get(reason);
  if (known) return known;
  const { severities: _severities, ...line } = reason;
  lines.set(reason, line);
  return line;
}

/** The lines that one verdict has and the one before it had not, and the other way round. */
export function differingLines(
  before: ToldVerdict | undefined,
  after: ToldVerdict,
): { readonly added: readonly Reason[]; readonly removed: readonly Reason[] } {
  const known = new Map((before?.reasons ?? []).map((reason) => [lineKey(reason), reason]));
  const present = new Map(after.reasons.map((reason) => [sharedKey(reason), reason]));
  const added = [...present].flatMap(([key, reason]) => (known.has(key) ? [] : [reason]));
  const removed = [...known].flatMap(([key, reason]) => (present.has(key) ? [] : [reason]));
  return { added, removed };
}

/** What makes reasons the same: not their words, dates or scores. */
function lineKey({ rule, kind, vulnerability, package: name, installed, suppressedBy, vex, message }: Reason): string {
  // Lines about the image as a whole are told apart by their text: one per platform, one per ecosystem.
  return [rule, kind, vulnerability ?? message, name, installed, suppressedBy?.exception, vex?.status].join('\0');
}

const sharedKeys = new WeakMap<Reason, string>();

/** The same for lines that many verdicts share. */
function sharedKey(reason: Reason): string {
  const known = sharedKeys.get(reason) ?? lineKey(reason);
  sharedKeys.set(reason, known);
  return known;
}
