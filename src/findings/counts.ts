import { type RawBuilder, sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Tx } from '../db/database.ts';
import { applyGroupChanges, type GroupChanges, noteComing, noteLeaving } from './groups.ts';
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
  package: number;
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
    readonly came?: { readonly firstSeen: number; readonly traits: number; readonly package: number } | undefined;
  },
): void {
  const key = keyOf(repository, finding);
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
  known.package = came.package;
  known.firstSeen = Math.min(came.firstSeen, known.firstSeen ?? Infinity);
}

function keyOf(repository: number, finding: number): string {
  return `${repository} ${finding}`;
}

function unchanged(repository: number, finding: number): Difference {
  return { repository, finding, images: STATUSES.map(() => 0), traits: 0, package: 0, firstSeen: undefined };
}

const COLUMNS = STATUSES.map((status) => COUNTED[status]);
const LATER = 2 ** 52;

/** A row as it is once it was written. */
interface Written extends Readonly<Record<(typeof COLUMNS)[number], number>> {
  readonly finding_id: number;
  readonly repository: number;
  readonly package: number;
  readonly traits: number;
  readonly first_seen: number;
}

/** Writes the rows of the list, and what is known of them together. Those of which no image is left go. */
export async function applyDifferences(tx: Tx, differences: Differences): Promise<void> {
  const changed = [...differences.values()].filter(
    ({ images, firstSeen }) => firstSeen !== undefined || images.some((more) => more !== 0),
  );
  // In one order, so that two who change the same rows wait for each other and not both.
  changed.sort((a, b) => a.repository - b.repository || a.finding - b.finding);
  const groups: GroupChanges = new Map();
  const gone: Written[] = [];
  for (const batch of batches(changed))
    for (const row of await write(tx, batch)) {
      const images = COLUMNS.map((column) => row[column]);
      const more = differences.get(keyOf(row.repository, row.finding_id))?.images ?? [];
      const before = statusesOf(images.map((number, at) => number - (more[at] ?? 0)));
      const statuses = statusesOf(images);
      if (statuses === 0) gone.push(row);
      if (before === statuses) continue;
      const { repository, package: name, traits, first_seen: firstSeen } = row;
      if (before !== 0) noteLeaving(groups, { repository, package: name, traits, statuses: before });
      if (statuses !== 0) noteComing(groups, { repository, package: name, traits, statuses }, firstSeen);
    }
  for (const [repository, own] of Map.groupBy(gone, (row) => row.repository))
    for (const batch of batches(own.map(({ finding_id }) => finding_id)))
      await tx
        .deleteFrom('repository_findings')
        .where('repository', '=', repository)
        .where('finding_id', 'in', batch)
        .execute();
  await applyGroupChanges(tx, groups);
}

/** A bit for each status that occurs. */
function statusesOf(images: readonly number[]): number {
  return STATUSES.reduce((bits, status, at) => bits | ((images[at] ?? 0) > 0 ? bitOf(status) : 0), 0);
}

async function write(tx: Tx, batch: readonly Difference[]): Promise<readonly Written[]> {
  const values = batch.map(
    ({ finding, repository, images, traits, package: name, firstSeen = LATER }) =>
      sql`(${sql.join([finding, repository, ...images, statusesOf(images), traits, name, firstSeen])})`,
  );
  const columns = COLUMNS.map((column) => sql.ref(column));
  const counted = COLUMNS.map((column) => sum(column));
  const bits = STATUSES.map((status, at) => sql`cast(${counted[at]} > 0 as integer) * ${sql.lit(bitOf(status))}`);
  const { rows } = await sql<Written>`insert into repository_findings
      (finding_id, repository, ${sql.join(columns)}, statuses, traits, package, first_seen)
    values ${sql.join(values)}
    on conflict (finding_id, repository) do update set
      ${sql.join(COLUMNS.map((column, at) => sql`${sql.ref(column)} = ${counted[at]}`))},
      statuses = ${sql.join(bits, sql` + `)},
      first_seen = case when excluded.first_seen < repository_findings.first_seen
        then excluded.first_seen else repository_findings.first_seen end
    returning finding_id, repository, package, traits, first_seen, ${sql.join(columns)}`.execute(tx);
  return rows;
}

function sum(column: string): RawBuilder<unknown> {
  return sql`(${sql.ref(`repository_findings.${column}`)} + ${sql.ref(`excluded.${column}`)})`;
}
