import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { type DatabaseHandle, openDatabase } from './database.ts';
import { imageClocks } from './migrations/0005-image-clocks.ts';
import { garbageCollection } from './migrations/0006-garbage-collection.ts';
import { storageRules } from './migrations/0007-storage-rules.ts';
import { findingGroups } from './migrations/0024-finding-groups.ts';

describe.each(ENGINES)('database on %s', (engine) => {
  let handle: DatabaseHandle;
  afterEach(async () => handle.close());

  it('keeps 64-bit integers, bytes and nulls as they were written', async () => {
    handle = await freshDatabase(engine);
    const content = Uint8Array.from([0, 1, 255, 128]);
    const row = {
      repository_id: 'r',
      digest: 'sha256:1',
      media_type: 'm',
      kind: 'image',
      artifact_type: null,
      size: 2 ** 52,
      content,
      subject: null,
      annotations: null,
      created_by: 'admin',
      created_at: 1_790_000_000_123,
    };
    await handle.db.insertInto('manifests').values(row).execute();
    const read = await handle.db.selectFrom('manifests').selectAll().executeTakeFirstOrThrow();
    expect({ ...read, content: Uint8Array.from(read.content) }).toEqual(row);
  });

  it('generates ascending keys', async () => {
    handle = await freshDatabase(engine);
    const insert = (purl: string) =>
      handle.db
        .insertInto('packages')
        .values({
          identity: purl,
          purl,
          type: 'npm',
          name: purl,
          version: '1',
          arch: null,
          source_name: null,
          source_version: null,
          licence: null,
          lookup_name: purl,
        })
        .returning('id')
        .executeTakeFirstOrThrow();
    const first = await insert('a');
    const second = await insert('b');
    expect(second.id).toBeGreaterThan(first.id);
  });

  it('sorts names bytewise', async () => {
    handle = await freshDatabase(engine);
    const names = ['b', 'B', 'a', '_', '9', 'a-b', 'a.b', 'aB'];
    for (const name of names) {
      await handle.db.insertInto('tags').values({ repository_id: 'r', name, digest: 'd', updated_at: 0 }).execute();
    }
    const rows = await handle.db.selectFrom('tags').select('name').orderBy('name').execute();
    expect(rows.map((row) => row.name)).toEqual(
      [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
  });

  it('moves the clocks of manifests into a row for each, and loses none when that is repeated', async () => {
    handle = await freshDatabase(engine);
    const { db } = handle;
    const clock = { vulnerability: 'CVE-2024-1', package: 'npm/"a\nb', first_seen: 7 };
    await db
      .insertInto('clocks')
      .values([
        { scope: 'repository:r', ...clock },
        { scope: 'digest:sha256:1', ...clock },
        { scope: 'digest:sha256:1', ...clock, vulnerability: 'CVE-2024-2', first_seen: 1_790_000_000_123 },
      ])
      .execute();
    for (let time = 0; time < 2; time += 1) await imageClocks(engine).up(db);
    expect(await db.selectFrom('clocks').select('scope').execute()).toEqual([{ scope: 'repository:r' }]);
    const [row, ...others] = await db.selectFrom('image_clocks').selectAll().execute();
    expect([row?.digest, others]).toEqual(['sha256:1', []]);
    const lines = row?.clocks.trimEnd().split('\n') ?? [];
    expect(new Map(lines.map((line) => JSON.parse(line) as [number, string]))).toEqual(
      new Map([
        [7, 'CVE-2024-1 npm/"a\nb'],
        [1_790_000_000_123, 'CVE-2024-2 npm/"a\nb'],
      ]),
    );
  });

  it('finds what nobody refers to in a database that had no garbage collection', async () => {
    handle = await freshDatabase(engine);
    const { db } = handle;
    await db.schema.dropTable('gc_reviews').execute();
    await db.schema.dropIndex('blobs_by_withheld_at').execute();
    for (const column of ['written_at', 'withheld_at', 'withheld_for', 'moving_until'])
      await db.schema.alterTable('blobs').dropColumn(column).execute();
    await db.schema.alterTable('projects').dropColumn('delete_untagged').execute();
    for (const digest of ['used', 'unused', 'nowhere'])
      await db.insertInto('blobs').values({ digest, size: 1, created_at: 7 }).execute();
    for (const digest of ['used', 'unused'])
      await db.insertInto('repository_blobs').values({ repository_id: 'r', digest, created_at: 8 }).execute();
    const reference = { repository_id: 'r', manifest_digest: 'm', position: 0, media_type: 't', size: 1 };
    await db
      .insertInto('manifest_blobs')
      .values({ ...reference, blob_digest: 'used' })
      .execute();
    await garbageCollection(engine).up(db);
    expect(
      await db.selectFrom('gc_reviews').select(['kind', 'digest', 'changed_at']).orderBy('kind').execute(),
    ).toEqual([
      { kind: 'blob', digest: 'nowhere', changed_at: 7 },
      { kind: 'link', digest: 'unused', changed_at: 8 },
    ]);
    expect(await db.selectFrom('blobs').select(['written_at', 'withheld_at']).distinct().execute()).toEqual([
      { written_at: 0, withheld_at: null },
    ]);
  });

  it('counts what is stored in a database that had no usage', async () => {
    handle = await freshDatabase(engine);
    const { db } = handle;
    for (const table of [
      'usage_changes',
      'usage_items',
      'project_usage',
      'repository_usage',
      'manifest_pulls',
      'retention_rules',
      'retention_runs',
    ])
      await db.schema.dropTable(table).execute();
    for (const column of ['quota', 'immutable_tags'])
      await db.schema.alterTable('projects').dropColumn(column).execute();
    for (const id of ['a', 'b'])
      await db
        .insertInto('repositories')
        .values({ id, project_id: 'p', name: `p/${id}`, created_at: 0 })
        .execute();
    for (const [digest, size, holders] of [
      ['shared', 100, ['a', 'b']],
      ['own', 20, ['b']],
      ['nowhere', 3, []],
    ] as const) {
      await db.insertInto('blobs').values({ digest, size, created_at: 0 }).execute();
      for (const repository_id of holders)
        await db.insertInto('repository_blobs').values({ repository_id, digest, created_at: 0 }).execute();
    }
    const manifest = { media_type: 't', kind: 'image', artifact_type: null, subject: null, annotations: null };
    for (const repository_id of ['a', 'b'])
      await db
        .insertInto('manifests')
        .values({
          ...manifest,
          repository_id,
          digest: 'm',
          size: 7,
          content: Buffer.of(1),
          created_by: '',
          created_at: 0,
        })
        .execute();
    await storageRules(engine).up(db);
    expect(await db.selectFrom('project_usage').selectAll().execute()).toEqual([
      { project_id: 'p', bytes: 127, blobs: 2, manifests: 1 },
    ]);
    expect(await db.selectFrom('repository_usage').selectAll().orderBy('repository_id').execute()).toEqual([
      { repository_id: 'a', project_id: 'p', bytes: 107, blobs: 1, manifests: 1 },
      { repository_id: 'b', project_id: 'p', bytes: 127, blobs: 2, manifests: 1 },
    ]);
    expect(await db.selectFrom('usage_items').select(['digest', 'links']).orderBy('digest').execute()).toEqual([
      { digest: 'm', links: 2 },
      { digest: 'own', links: 1 },
      { digest: 'shared', links: 2 },
    ]);
  });

  it('groups the findings of a list that had no groups', async () => {
    handle = await freshDatabase(engine);
    const { db } = handle;
    for (const index of ['repository_findings_by_time', 'repository_findings_by_group'])
      await db.schema.dropIndex(index).execute();
    for (const table of ['finding_groups', 'finding_packages']) await db.schema.dropTable(table).execute();
    for (const [table, column] of [
      ['findings', 'package_number'],
      ['repository_findings', 'package'],
    ] as const)
      await db.schema.alterTable(table).dropColumn(column).execute();
    for (const [columns, names] of [
      [['first_seen', 'finding_id'], 'first_seen_finding_id'],
      [['repository', 'statuses'], 'repository_statuses'],
      [['statuses', 'traits'], 'statuses_traits'],
    ] as const)
      await db.schema
        .createIndex(`repository_findings_by_${names}`)
        .on('repository_findings')
        .columns([...columns])
        .execute();
    for (const [id, name] of [
      [1, 'zlib'],
      [2, 'musl'],
      [3, 'zlib'],
    ] as const)
      await sql`insert into findings (id, identity, vulnerability, aliases, package, installed, fixed, severity, fixable, kev, vendor_status, epss)
        values (${id}, ${String(id)}, 'CVE-2024-1', '[]', ${name}, '1', '', 3, 0, 0, '', -1)`.execute(db);
    for (const [finding, repository, statuses] of [
      [1, 1, 1],
      [2, 1, 1],
      [3, 1, 1],
      [3, 2, 4],
    ] as const)
      await sql`insert into repository_findings
        (finding_id, repository, blocked, warned, in_grace, excepted, dismissed, statuses, traits, first_seen)
        values (${finding}, ${repository}, 1, 0, 0, 0, 0, ${statuses}, 12, 5)`.execute(db);
    await findingGroups(engine).up(db);
    const rows = await db
      .selectFrom('finding_groups as c')
      .innerJoin('finding_packages as k', 'k.number', 'c.package')
      .select(['c.repository', 'k.name', 'c.statuses', 'c.traits', 'c.findings', 'c.newest'])
      .orderBy('c.repository')
      .orderBy('k.name')
      .execute();
    expect(rows).toEqual([
      { repository: 1, name: 'musl', statuses: 1, traits: 12, findings: 1, newest: 5 },
      { repository: 1, name: 'zlib', statuses: 1, traits: 12, findings: 2, newest: 5 },
      { repository: 2, name: 'zlib', statuses: 4, traits: 12, findings: 1, newest: 5 },
    ]);
  });

  it('rolls a failed transaction back', async () => {
    handle = await freshDatabase(engine);
    const attempt = handle.db.transaction().execute(async (tx) => {
      await tx.insertInto('settings').values({ key: 'k', value: '1' }).execute();
      throw new Error('no');
    });
    await expect(attempt).rejects.toThrow('no');
    expect(await handle.db.selectFrom('settings').selectAll().execute()).toEqual([]);
  });
});

describe('SQLite file', () => {
  it('is found again by a second start, without migrating twice', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'breakwater-db-'));
    try {
      const path = join(folder, 'a.db');
      const first = await openDatabase({ engine: 'sqlite', path });
      await first.db.insertInto('settings').values({ key: 'k', value: 'v' }).execute();
      await first.close();
      const second = await openDatabase({ engine: 'sqlite', path });
      expect(await second.db.selectFrom('settings').selectAll().execute()).toEqual([{ key: 'k', value: 'v' }]);
      await second.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('unreachable PostgreSQL', () => {
  it('fails with a clear error that does not show the password', async () => {
    const attempt = openDatabase({ engine: 'postgres', url: 'postgres://u:hunter2@127.0.0.1:1/x' });
    await expect(attempt).rejects.toMatchObject({ code: 'database_unavailable' });
    await expect(attempt).rejects.not.toThrow(/hunter2/);
  });
});
