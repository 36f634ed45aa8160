import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { openFilesystemBlobStore } from '../../src/blobs/drivers/filesystem.ts';
import { capabilitiesOf } from '../../src/db/capabilities.ts';
import { type DatabaseLocation, type Db, openDatabase } from '../../src/db/database.ts';
import { collect } from '../../src/gc/collect.ts';
import { scrub } from '../../src/gc/scrub.ts';
import { verifyChain } from '../../src/ledger/chain.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { type Digest, parseDigest } from '../../src/oci/digest.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';

const DAY_MS = 25 * 3_600_000;
const EVERYTHING = 1_000_000;

/** Lets a day pass for everything that garbage collection waits for. No server may run. */
export async function passDay(location: DatabaseLocation): Promise<void> {
  const handle = await openDatabase(location);
  try {
    await letDayPass(handle.db);
  } finally {
    await handle.close();
  }
}

function earlier(column: string) {
  return sql<number>`${sql.ref(column)} - ${sql.lit(DAY_MS)}`;
}

async function letDayPass(db: Db): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .updateTable('gc_reviews')
      .set({
        changed_at: earlier('changed_at'),
        not_before: earlier('not_before'),
        leased_until: earlier('leased_until'),
      })
      .execute();
    await tx
      .updateTable('blobs')
      .set({ withheld_at: earlier('withheld_at'), moving_until: earlier('moving_until') })
      .where('withheld_at', 'is not', null)
      .execute();
  });
}

export interface Recount {
  readonly rows: Readonly<Record<string, number>>;
  readonly scrubbed: number;
  readonly ledgerEntries: number;
  /** What garbage collection took during the whole run. */
  readonly collected: { manifests: number; unlinked: number; blobs: number };
  /** Files of blobs that no row knows: what crashes between file and row leave behind. */
  readonly filesWithoutRow: number;
  readonly problems: readonly string[];
}

/** Collects what is due, reads every blob, counts every table against the others and checks the ledger. No server may run. */
export async function recount(location: DatabaseLocation, dataDir: string): Promise<Recount> {
  const handle = await openDatabase(location);
  const { db, engine } = handle;
  const clock = systemClock;
  const blobs = await openFilesystemBlobStore({ root: dataDir, clock });
  const ledger = createLedger({ db, clock });
  const problems: string[] = [];
  try {
    const deps = { db, blobs, clock, ledger, logger: silentLogger, delayMs: 0, scrubEveryMs: 1 };
    // Thrice: manifests, then what they listed, then what no repository has any more.
    for (let pass = 0; pass < 3; pass += 1) {
      await letDayPass(db);
      const { failed } = await collect(
        { ...deps, skipLocked: capabilitiesOf(engine).skipLocked },
        { mostReviews: EVERYTHING },
      );
      if (failed > 0) problems.push(`${failed} reviews of garbage collection failed`);
    }
    await db.deleteFrom('settings').where('key', '=', 'gc.scrub').execute();
    const scrubbed = await scrub({ ...deps, scrubRate: Number.MAX_SAFE_INTEGER }, { forMs: Number.MAX_SAFE_INTEGER });
    if (scrubbed.damaged > 0) problems.push(`${scrubbed.damaged} stored blobs are damaged or lost`);
    for (const [what, query] of CONTRADICTIONS) {
      const { rows } = await sql<{
        n: number | string;
      }>`select count(*) as n from (${sql.raw(query)}) as found`.execute(db);
      const count = Number(rows[0]?.n ?? 0);
      if (count > 0) problems.push(`${count} ${what}`);
    }
    const rows: Record<string, number> = {};
    for (const table of [
      'repositories',
      'tags',
      'manifests',
      'repository_blobs',
      'blobs',
      'uploads',
      'gc_reviews',
    ] as const) {
      const { n } = await db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll().as('n'))
        .executeTakeFirstOrThrow();
      rows[table] = Number(n);
    }
    const counted = await checkLedger(ledger, problems);
    return {
      rows,
      scrubbed: scrubbed.checked,
      ...counted,
      filesWithoutRow: await countStray(db, dataDir),
      problems,
    };
  } finally {
    await handle.close();
  }
}

const CONTRADICTIONS: readonly (readonly [what: string, query: string])[] = [
  [
    'tags point at a manifest that is not there',
    `select 1 as found from tags t where not exists
      (select 1 from manifests m where m.repository_id = t.repository_id and m.digest = t.digest)`,
  ],
  [
    'blobs are linked in a repository without being stored',
    `select 1 as found from repository_blobs l where not exists
      (select 1 from blobs b where b.digest = l.digest and b.withheld_at is null)`,
  ],
  [
    'blobs are listed by a manifest whose repository does not have them',
    `select 1 as found from manifest_blobs m where not exists
      (select 1 from repository_blobs l where l.repository_id = m.repository_id and l.digest = m.blob_digest)`,
  ],
  [
    'lists of blobs or of manifests belong to no manifest',
    `select 1 as found from manifest_blobs b where not exists
      (select 1 from manifests m where m.repository_id = b.repository_id and m.digest = b.manifest_digest)
      union all select 1 as found from manifest_children c where not exists
      (select 1 from manifests m where m.repository_id = c.repository_id and m.digest = c.parent_digest)`,
  ],
  [
    'blobs are in a repository although nothing there lists them and a day has passed',
    `select 1 as found from repository_blobs l where not exists
      (select 1 from manifest_blobs m where m.repository_id = l.repository_id and m.blob_digest = l.digest)`,
  ],
  [
    'blobs are stored although no repository has them',
    `select 1 as found from blobs b where b.withheld_at is null and not exists
      (select 1 from repository_blobs l where l.digest = b.digest)`,
  ],
  ['blobs are still being moved away', 'select 1 as found from blobs where moving_until is not null'],
  [
    'manifests are there without a tag or an index where untagged ones are given up',
    `select 1 as found from manifests m join repositories r on r.id = m.repository_id join projects p on p.id = r.project_id
      where p.delete_untagged = 1
      and not exists (select 1 from tags t where t.repository_id = m.repository_id and t.digest = m.digest)
      and not exists (select 1 from manifest_children c where c.repository_id = m.repository_id and c.child_digest = m.digest)`,
  ],
];

async function checkLedger(ledger: ReturnType<typeof createLedger>, problems: string[]) {
  const collected = { manifests: 0, unlinked: 0, blobs: 0 };
  let ledgerEntries = 0;
  let before: { readonly seq: number; readonly hash: string } | undefined;
  for (;;) {
    const page = await ledger.list({ limit: 1000, ...(before ? { after: before.seq } : {}) });
    const broken = verifyChain(page, before);
    if (broken !== undefined) problems.push(`the ledger is broken at line ${broken}`);
    ledgerEntries += page.length;
    for (const { action, details } of page) if (action === 'gc.run') add(collected, details);
    before = page.at(-1) ?? before;
    if (page.length < 1000) break;
  }
  const head = await ledger.head();
  if (head?.hash !== before?.hash) problems.push('the head of the ledger is not its last line');
  return { ledgerEntries, collected };
}

function add(sum: Record<string, number>, details: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(sum)) sum[key] = (sum[key] ?? 0) + Number(details[key] ?? 0);
}

/** Only whole files are in this folder, whatever crashed: they have the name of their content. */
async function countStray(db: Db, dataDir: string): Promise<number> {
  const root = join(dataDir, 'blobs');
  const names = await readdir(root, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry): Digest => parseDigest(`sha256:${entry.name}`));
  const known = await db.selectFrom('blobs').select('digest').where('withheld_at', 'is', null).execute();
  const rows = new Set(known.map((row) => row.digest));
  return files.filter((digest) => !rows.has(digest)).length;
}
