import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BlobStore, putBlob } from '../blobs/blob-store.ts';
import { openFilesystemBlobStore } from '../blobs/drivers/filesystem.ts';
import { type DatabaseHandle, openDatabase } from '../db/database.ts';
import { createLedger } from '../ledger/ledger.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { fixedClock } from '../platform/clock.ts';
import { type BackupOptions, makeBackup } from './make.ts';
import { verifyBackup } from './verify.ts';

const clock = fixedClock(1_700_000_000_000);

describe('backup', () => {
  let work: string;
  let dataDir: string;
  let folder: string;
  let handle: DatabaseHandle;
  let blobs: BlobStore;
  let problems: string[];
  beforeEach(async () => {
    work = await mkdtemp(join(tmpdir(), 'breakwater-backup-'));
    [dataDir, folder] = [join(work, 'data'), join(work, 'backup')];
    blobs = await openFilesystemBlobStore({ root: dataDir, clock });
    handle = await openDatabase({ engine: 'sqlite', path: join(dataDir, 'breakwater.db') });
    problems = [];
  });
  afterEach(async () => {
    await handle.close();
    await rm(work, { recursive: true });
  });

  async function stored(content: string): Promise<Digest> {
    const digest = digestOf(content);
    await putBlob(
      blobs,
      digest,
      (async function* () {
        yield Buffer.from(content);
      })(),
    );
    const row = { digest, size: content.length, created_at: 0, written_at: 0 };
    await handle.db.insertInto('blobs').values(row).execute();
    return digest;
  }

  const make = (store: BlobStore | undefined = blobs, options: Partial<BackupOptions> = {}) =>
    makeBackup({ dataDir, clock, blobs: store }, folder, {
      link: false,
      prune: false,
      onProblem: (digest, reason) => problems.push(`${digest}: ${reason}`),
      onProgress: () => undefined,
      ...options,
    });
  const faults = async () => (await verifyBackup(folder)).problems;

  it('takes a newer look when garbage collection was faster', async () => {
    await stored('kept');
    const garbage = await stored('garbage');
    const collecting: BlobStore = {
      ...blobs,
      async open(digest) {
        if (digest === garbage) {
          await handle.db.deleteFrom('blobs').where('digest', '=', garbage).execute();
          await blobs.delete(garbage);
        }
        return blobs.open(digest);
      },
    };
    expect(await make(collecting)).toMatchObject({ problems: 0, blobs: { count: 1 } });
    expect([problems, await faults()]).toEqual([[], []]);
  });

  it('takes lines of the ledger that wait for their place in the chain as they are', async () => {
    const ledger = createLedger({ db: handle.db, clock });
    await ledger.record({ actor: 'anna', action: 'project.create', target: 'project/front' });
    await handle.db
      .transaction()
      .execute((tx) => ledger.appendLater(tx, { actor: 'anna', action: 'manifest.push', target: 'front/app:1' }));
    await make();
    expect(await verifyBackup(folder)).toMatchObject({ ledgerLines: 1, problems: [] });
    const copy = await openDatabase({
      engine: 'sqlite',
      path: join(folder, (await verifyBackup(folder)).document.database.path),
    });
    expect(await createLedger({ db: copy.db, clock }).list({ limit: 9 })).toHaveLength(2);
    await copy.close();
  });

  it('names what the storage does not have, or has damaged, and backs up the rest', async () => {
    const lost = await stored('lost');
    const damaged = await stored('damaged');
    await stored('kept');
    await blobs.delete(lost);
    await writeFile(blobs.localPath?.(damaged) ?? '', 'DAMAGED');
    expect(await make()).toMatchObject({ problems: 2, copied: { blobs: 1 } });
    expect(problems.toSorted()).toEqual(
      [`${lost}: the blob storage does not have it`, expect.stringContaining(`${damaged}: the content has`)].sort(
        (a, b) => (String(a) < String(b) ? -1 : 1),
      ),
    );
    expect((await faults()).toSorted()).toEqual(
      [`the blob ${damaged} is missing`, `the blob ${lost} is missing`].toSorted(),
    );
  });

  it('leaves given up blobs out, and prunes only when told to', async () => {
    const kept = await stored('kept');
    const gone = await stored('gone');
    await make();
    await handle.db.updateTable('blobs').set({ withheld_at: 1 }).where('digest', '=', gone).execute();
    await blobs.delete(gone);
    expect(await make()).toMatchObject({ problems: 0, pruned: 0, copied: { blobs: 0 }, blobs: { count: 1 } });
    expect(await make(blobs, { prune: true })).toMatchObject({ pruned: 1 });
    expect(await make(blobs, { prune: true, link: true })).toMatchObject({ pruned: 0, copied: { blobs: 0 } });
    const store = await openFilesystemBlobStore({ root: folder, clock });
    expect([await store.stat(kept), await store.stat(gone)]).toEqual([{ size: 4 }, undefined]);
  });

  it('does without the blobs when they are backed up in another way', async () => {
    await stored('elsewhere');
    const { blobs: none } = await makeBackup({ dataDir, clock, blobs: undefined }, folder, {
      link: false,
      prune: false,
      onProblem: () => undefined,
      onProgress: () => undefined,
    });
    expect([none, await faults()]).toEqual([undefined, []]);
  });
});
