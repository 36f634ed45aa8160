import { type RawBuilder, sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Tx } from '../db/database.ts';
import { bitOf, COUNTED, type ListedStatus, STATUSES } from './status.ts';

/** What changes in the rows of the list, by repository and finding. */
export type Differences = Map<string, Difference>;

interface Difference {
  readonly repository: number;
  readonly finding: number;
  /** Images more or fewer of each status, in the order of `STATUSES`. */
  readonly images: number[];
  /** Of the finding, and epoch ms; where nothing comes its row is there already. */
  traits: number;
  firstSeen: number | undefined;
}

/** Notes that an image of a repository has a finding no more, has it now, or has it with another status. */
export function note(
  differences: Differences,
  { repository, finding }: Pick<Difference, 'repository' | 'finding'>,
  change: {
    readonly from?: ListedStatus | undefined;
    readonly to?: ListedStatus | undefined;
    /** Given where it comes. */
    readonly came?: { readonly firstSeen: number; readonly traits: number } | undefined;
  },
): void {
  const key = `${repository} ${finding}`;
  const known = differences.get(key) ?? unchanged(repository, finding);
  differences.set(key, known);
  const add = (status: ListedStatus | undefined, by: number) => {
    const at = status === undefined ? -1 : STATUSES.indexOf(status);
    if (at >= 0) known.images[at] = (known.images[at] ?? 0) + by;
  };
  add(change.from, -1);
  add(change.to, 1);
  const { came } = change;
  if (!came) return;
  known.traits = came.traits;
  known.firstSeen = Math.min(came.firstSeen, known.firstSeen ?? Infinity);
}

function unchanged(repository: number, finding: number): Difference {
  return { repository, finding, images: STATUSES.map(() => 0), traits: 0, firstSeen: undefined };
}

const COLUMNS = STATUSES.map((status) => COUNTED[status]);
const LATER = 2 ** 52;

/** Writes the rows of the list. Those of which no image is left go. */
export async function applyDifferences(tx: Tx, differences: Differences): Promise<void> {
  const changed = [...differences.values()].filter(
    ({ images, firstSeen }) => firstSeen !== undefined || images.some((more) => more !== 0),
  );
  // In one order, so that two who change the same rows wait for each other and not both.
  changed.sort((a, b) => a.repository - b.repository || a.finding - b.finding);
  for (const batch of batches(changed)) await write(tx, batch);
  const fewer = changed.filter(({ images }) => images.reduce((sum, more) => sum + more, 0) < 0);
  for (const [repository, own] of Map.groupBy(fewer, (one) => one.repository))
    for (const batch of batches(own.map(({ finding }) => finding)))
      await tx
        .deleteFrom('repository_findings')
        .where('repository', '=', repository)
        .where('finding_id', 'in', batch)
        .where('statuses', '=', 0)
        .execute();
}

async function write(tx: Tx, batch: readonly Difference[]): Promise<void> {
  const rows = batch.map(({ finding, repository, images, traits, firstSeen = LATER }) => {
    const statuses = STATUSES.reduce((bits, status, at) => bits | ((images[at] ?? 0) > 0 ? bitOf(status) : 0), 0);
    return sql`(${sql.join([finding, repository, ...images, statuses, traits, firstSeen])})`;
  });
  const counted = COLUMNS.map((column) => sum(column));
  const bits = STATUSES.map((status, at) => sql`cast(${counted[at]} > 0 as integer) * ${sql.lit(bitOf(status))}`);
  await sql`insert into repository_findings
      (finding_id, repository, ${sql.join(COLUMNS.map((column) => sql.ref(column)))}, statuses, traits, first_seen)
    values ${sql.join(rows)}
    on conflict (finding_id, repository) do update set
      ${sql.join(COLUMNS.map((column, at) => sql`${sql.ref(column)} = ${counted[at]}`))},
      statuses = ${sql.join(bits, sql` + `)},
      first_seen = case when excluded.first_seen < repository_findings.first_seen
        then excluded.first_seen else repository_findings.first_seen end`.execute(tx);
}

function sum(column: string): RawBuilder<unknown> {
  return sql`(${sql.ref(`repository_findings.${column}`)} + ${sql.ref(`excluded.${column}`)})`;
}
