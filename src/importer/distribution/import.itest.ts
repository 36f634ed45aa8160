import { execFileSync } from 'node:child_process';
import { link, mkdir, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DistributionFolder, distributionFolder } from '../../../test/support/distribution-folder.ts';
import { ENGINES, freshDatabase } from '../../../test/support/engines.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { openFilesystemBlobStore } from '../../blobs/drivers/filesystem.ts';
import type { DatabaseHandle } from '../../db/database.ts';
import type { Engine } from '../../db/engine.ts';
import { type Digest, digestOf, hexOf, parseDigest } from '../../oci/digest.ts';
import { fixedClock } from '../../platform/clock.ts';
import { findManifest } from '../../registry/manifest-reader.ts';
import { listReferrers } from '../../registry/referrers.ts';
import { createFilter, nameHere } from '../names.ts';
import type { ImportOptions } from '../options.ts';
import { createPatience } from '../patience.ts';
import type { ImportTarget, Problem } from '../ports.ts';
import { createProjectCheck } from '../projects.ts';
import { addProblem, createReport, type ImportReport } from '../report.ts';
import { importAll } from '../run.ts';
import { createStoreTarget } from '../store-target.ts';
import { openDistributionFolder } from './source.ts';

describe.each(ENGINES)('import of a storage folder of Distribution, on %s', (engine) => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld(engine);
  });
  afterEach(() => world.close());

  it('brings tags, untagged manifests, indexes and shared blobs, byte for byte', async () => {
    const { folder } = world;
    const layer = 'a layer that several share';
    const amd64 = folder.image('front/app', [layer, 'amd64']);
    const arm64 = folder.image('front/app', [layer, 'arm64']);
    const list = folder.index('front/app', [amd64, arm64], '1.0');
    const loose = folder.image('front/app', [layer, 'loose']);
    const other = folder.image('front/app/below', [layer], 'latest');
    const report = await world.import();
    expect(report).toMatchObject({
      repositories: 2,
      tags: { imported: 2 },
      manifests: { imported: 5 },
      blobs: { imported: 6, mounted: 1 },
      problems: 0,
    });
    expect(await world.digestOf('front/app', '1.0')).toBe(list);
    expect(await world.digestOf('front/app/below', 'latest')).toBe(other);
    for (const digest of [amd64, arm64, list, loose]) {
      const stored = await findManifest(world.db, 'front/app', digest);
      expect(stored?.content).toEqual(await readFile(folder.blobPath(digest)));
    }
    expect(await world.read(digestOf(layer))).toBe(layer);
    // All of it is to be judged by the server that comes.
    expect(new Set(world.judged)).toEqual(new Set([amd64, arm64, list, loose, other]));
  });

  it('brings no more than the quota of a project has room for, and leaves the rest to garbage collection', async () => {
    const { folder, db } = world;
    folder.image('front/app', ['a layer that is too large'], '1');
    folder.image('back/app', ['small'], '1');
    await db.updateTable('projects').set({ quota: 10 }).where('name', '=', 'front').execute();
    await world.import();
    expect(world.problems.map(({ reason }) => reason).join()).toContain('project "front" uses');
    expect(await world.digestOf('front/app', '1')).toBeUndefined();
    expect(await world.digestOf('back/app', '1')).toBeDefined();
    const linked = await db
      .selectFrom('repository_blobs as l')
      .innerJoin('repositories as r', 'r.id', 'l.repository_id')
      .where('r.name', '=', 'front/app')
      .selectAll('l')
      .execute();
    expect(linked).toEqual([]);
  });

  it('brings nothing twice, and what is new the next time', async () => {
    const { folder } = world;
    folder.image('front/app', ['one'], '1');
    expect(await world.import()).toMatchObject({ tags: { imported: 1 }, bytes: expect.any(Number) });
    expect(await world.import()).toMatchObject({
      tags: { imported: 0, present: 1 },
      manifests: { imported: 0 },
      blobs: { imported: 0, present: 0 },
      bytes: 0,
    });
    const moved = folder.image('front/app', ['one', 'two'], '1');
    expect(await world.import()).toMatchObject({ tags: { imported: 1 }, blobs: { imported: 1, present: 2 } });
    expect(await world.digestOf('front/app', '1')).toBe(moved);
  });

  it('goes on after it was cut off between any two writes', async () => {
    const { folder } = world;
    const list = folder.index(
      'front/app',
      [folder.image('front/app', ['x', 'amd64']), folder.image('front/app', ['x', 'arm64'])],
      '1',
    );
    let cuts = 0;
    for (; ; cuts += 1) {
      let left = cuts;
      const step = () => {
        left -= 1;
        if (left < 0) throw new TypeError('killed');
      };
      const cut = (target: ImportTarget): ImportTarget => ({
        ...target,
        async putBlob(...input) {
          step();
          return target.putBlob(...input);
        },
        async putManifest(...input) {
          step();
          await target.putManifest(...input);
        },
      });
      const other = await openWorld(engine, folder);
      const whole = await other.import({}, cut).then(
        () => true,
        (error: Error) => expect(error.message).toBe('killed'),
      );
      const report = await other.import();
      expect(report.problems).toBe(0);
      expect(await other.digestOf('front/app', '1')).toBe(list);
      await other.close();
      if (whole === true) break;
    }
    // Config, three layers, three manifests: the last cut is behind all of them.
    expect(cuts).toBe(7);
  });

  it('names what is damaged, missing or not understood, and brings the rest', async () => {
    const { folder } = world;
    const good = folder.image('front/good', ['good'], 'good');
    folder.image('front/app', ['good', 'damaged later'], 'damaged');
    await writeFile(folder.blobPath(digestOf('damaged later')), 'damaged LATER');
    folder.image('front/app', ['cut'], 'short');
    await truncate(folder.blobPath(digestOf('cut')), 1);
    folder.image('front/app', ['lost'], 'lost');
    await rm(folder.blobPath(digestOf('lost')));
    const manifest = folder.image('front/app', ['fine'], 'manifest-damaged');
    await writeFile(folder.blobPath(manifest), '{}');
    const deleted = folder.image('front/app', ['deleted'], 'deleted');
    await rm(folder.at(`repositories/front/app/_manifests/revisions/sha256/${hexOf(deleted)}/link`));
    folder.manifest('front/app', { schemaVersion: 1, fsLayers: [] }, 'schema1');
    folder.manifest('front/app', Buffer.from('no JSON'), 'no-json');
    folder.index('front/app', [digestOf('nothing')], 'sparse');
    folder.write('repositories/front/app/_manifests/tags/empty/current/link', '');
    folder.write('repositories/front/app/_manifests/tags/giant/current/link', 'sha256:'.padEnd(1_000_000, 'a'));
    folder.write('repositories/front/app/_manifests/tags/word/current/link', 'sha256:../../../etc/passwd');
    folder.write('repositories/front/app/_manifests/tags/-wrong/current/link', good);
    folder.write('repositories/front/app/_manifests/tags/file', 'no folder');
    folder.write(`repositories/front/app/_manifests/revisions/sha256/${'g'.repeat(64)}/link`, good);

    const report = await world.import();
    const reasons = Object.fromEntries(world.problems.map(({ what, reason }) => [what, reason]));
    expect(reasons).toMatchObject({
      'front/app:damaged': expect.stringMatching(/has the digest sha256:\w+, not /),
      'front/app:short': expect.stringMatching(/has the digest/),
      'front/app:lost': expect.stringMatching(/content of sha256:\w+ is not in the folder/),
      'front/app:manifest-damaged': expect.stringMatching(/has the digest sha256:\w+ now/),
      'front/app:deleted': expect.stringContaining('(any more)'),
      'front/app:schema1': expect.stringContaining('schema 1'),
      'front/app:no-json': expect.stringContaining('manifest is not valid'),
      'front/app:sparse': expect.stringMatching(/lists sha256:\w+, which cannot be imported/),
      'front/app:empty': expect.stringContaining('holds no digest'),
      'front/app:giant': expect.stringContaining('1000000 bytes'),
      'front/app:word': expect.stringContaining('holds no digest'),
      'front/app:-wrong': 'this cannot be a tag',
      'front/app:file': expect.stringContaining('no folder'),
      [`front/app@sha256:${'g'.repeat(64)}`]: 'this is no digest',
    });
    expect(world.problems).toHaveLength(14);
    expect(report).toMatchObject({ repositories: 2, tags: { imported: 1 } });
    expect(await world.digestOf('front/good', 'good')).toBe(good);
    expect(await world.blobs.stat(digestOf('damaged later'))).toBeUndefined();

    // What was healed is brought by the next run.
    await writeFile(folder.blobPath(digestOf('damaged later')), 'damaged later');
    expect(await world.import()).toMatchObject({ tags: { imported: 1, present: 1 } });
  });

  it('follows no symbolic link, reads no pipe, and takes no name that is none', async () => {
    const { folder } = world;
    const outside = await mkdtemp(join(tmpdir(), 'breakwater-outside-'));
    const foreign = distributionFolder(outside);
    const secret = foreign.image('inner/app', ['secret'], '1');
    const image = folder.image('front/app', ['secret'], '1');
    // The layer, a whole tag, a whole repository and a folder of blobs, each by a link that leads out.
    await rm(folder.blobPath(digestOf('secret')));
    await symlink(foreign.blobPath(digestOf('secret')), folder.blobPath(digestOf('secret')));
    await symlink(
      foreign.at('repositories/inner/app/_manifests/tags/1'),
      folder.at('repositories/front/app/_manifests/tags/linked'),
    );
    await symlink(foreign.at('repositories/inner'), folder.at('repositories/linked'));
    folder.image('front/pipe', ['pipe'], '1');
    await rm(folder.blobPath(digestOf('pipe')));
    execFileSync('sh', ['-c', 'mkfifo "$0"', folder.blobPath(digestOf('pipe'))]);
    const hidden = foreign.image('hidden/app', ['hidden layer'], '1');
    folder.image('front/hidden', ['hidden layer'], '1');
    const hiddenFolder = join(folder.blobPath(digestOf('hidden layer')), '../..');
    await rm(hiddenFolder, { recursive: true });
    await symlink(join(foreign.blobPath(digestOf('hidden layer')), '../..'), hiddenFolder);
    for (const name of ['UPPER', 'white space', 'a..b', '-a', 'x'.repeat(200)])
      await mkdir(folder.at(`repositories/${name}/${'y'.repeat(100)}/_manifests/tags`), { recursive: true });
    await mkdir(folder.at('repositories/front/\u001b[31mred'), { recursive: true });

    await world.import();
    expect(world.problems.map(({ what }) => what).sort()).toEqual(
      [
        'front/app:1',
        'front/app:linked',
        'front/hidden:1',
        'front/pipe:1',
        'linked',
        'UPPER',
        'white space',
        'a..b',
        '-a',
        `${'x'.repeat(200)}/${'y'.repeat(100)}`,
        'front/\u001b[31mred',
      ].sort(),
    );
    expect(await world.blobs.stat(digestOf('secret'))).toBeUndefined();
    for (const digest of [secret, image, hidden]) expect(await world.digestOf('front/app', digest)).toBeUndefined();
    await rm(outside, { recursive: true });
  });

  it('keeps what the tag of the old schema lists as referrers, also when some of it is lost', async () => {
    const { folder } = world;
    const subject = folder.image('front/app', ['app'], '1');
    const about = { subject: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: subject, size: 1 } };
    const signature = folder.image('front/app', ['signature'], undefined, about);
    const lost = folder.image('front/app', ['lost signature'], undefined, about);
    await rm(folder.blobPath(digestOf('lost signature')));
    folder.index('front/app', [signature, lost], `sha256-${hexOf(subject)}`);
    const report = await world.import({ taggedOnly: true });
    expect(report.problems).toBe(2);
    const { descriptors } = await listReferrers(world.db, { repository: 'front/app', subject, after: '', limit: 10 });
    expect(descriptors.map(({ digest }) => digest)).toEqual([signature]);
  });

  it('leaves foreign layers where they are, and what has no tag when told to', async () => {
    const { folder } = world;
    const foreign = {
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: digestOf('elsewhere'),
      size: 9,
    };
    const config = folder.blob('{}');
    folder.manifest(
      'front/app',
      {
        schemaVersion: 2,
        mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
        config: { mediaType: 'application/vnd.docker.container.image.v1+json', digest: config, size: 2 },
        layers: [foreign],
      },
      'windows',
    );
    const loose = folder.image('front/app', ['loose']);
    expect(await world.import({ taggedOnly: true })).toMatchObject({ problems: 0, tags: { imported: 1 } });
    expect(await world.digestOf('front/app', loose)).toBeUndefined();
    await world.import();
    expect(await world.digestOf('front/app', loose)).toBe(loose);
  });

  it('says where repositories go, filters, and only looks when asked to', async () => {
    const { folder } = world;
    folder.image('busybox', ['b'], '1');
    folder.image('none/app', ['n'], '1');
    folder.image('hub/app', ['h'], '1');
    folder.image('front/app', ['f1'], 'v1');
    folder.image('front/app', ['f2'], 'w1');
    folder.image('front/app', ['f3']);
    const dry = await world.import({ dryRun: true, filter: createFilter(['front/*:v*']) });
    expect(dry).toMatchObject({ repositories: 1, tags: { imported: 1 }, blobs: { imported: 2 }, problems: 0 });
    expect(await world.digestOf('front/app', 'v1')).toBeUndefined();
    expect(await world.import({ filter: createFilter(['front/*:v*']) })).toMatchObject({
      tags: { imported: dry.tags.imported },
      blobs: { imported: dry.blobs.imported },
      bytes: dry.bytes,
      manifests: { imported: 1 },
    });
    const report = await world.import();
    expect(Object.fromEntries(world.problems.map(({ what, reason }) => [what, reason]))).toEqual({
      busybox: expect.stringContaining('--default-project'),
      'none/app': expect.stringContaining('breakwater project create none'),
      'hub/app': expect.stringContaining('mirrors another registry'),
    });
    expect(report.repositories).toBe(1);
    await world.import({ nameHere: (name) => nameHere(name, { project: 'back' }) });
    expect(await world.digestOf('back/none/app', '1')).toBeDefined();
    expect(await world.digestOf('back/busybox', '1')).toBeDefined();
  });

  it('links files when told to, verified all the same', async () => {
    const { folder } = world;
    folder.image('front/app', ['one', 'two'], '1');
    folder.image('front/app', ['three'], '2');
    await writeFile(folder.blobPath(digestOf('two')), 'TWO');
    const report = await world.import({}, undefined, true);
    expect(report).toMatchObject({ blobs: { imported: 3, linked: 3 }, problems: 1 });
    const [there, here] = await Promise.all(
      [folder.blobPath(digestOf('three')), world.blobs.localPath?.(digestOf('three')) ?? ''].map((path) => stat(path)),
    );
    expect(here?.ino).toBe(there?.ino);
    expect(await world.blobs.stat(digestOf('two'))).toBeUndefined();
  });
});

describe('a folder that is none', () => {
  it('is refused with what to give instead', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'breakwater-empty-'));
    await expect(openDistributionFolder(empty, () => undefined)).rejects.toThrow('rootdirectory');
    await expect(openDistributionFolder(join(empty, 'nothing'), () => undefined)).rejects.toThrow('no such folder');
    await link(import.meta.filename, join(empty, 'repositories'));
    await expect(openDistributionFolder(empty, () => undefined)).rejects.toThrow('rootdirectory');
    await rm(empty, { recursive: true });
  });
});

interface World {
  readonly folder: DistributionFolder;
  readonly db: DatabaseHandle['db'];
  readonly blobs: BlobStore;
  readonly problems: Problem[];
  readonly judged: Digest[];
  import(
    options?: Partial<ImportOptions>,
    change?: (target: ImportTarget) => ImportTarget,
    link?: boolean,
  ): Promise<ImportReport>;
  digestOf(repository: string, reference: string): Promise<Digest | undefined>;
  read(digest: Digest): Promise<string>;
  close(): Promise<void>;
}

/** A folder to import, and the projects `front`, `back` and the mirror `hub` to import it into. */
async function openWorld(engine: Engine, filled?: DistributionFolder): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'breakwater-import-'));
  const folder = filled ?? distributionFolder(join(root, 'old'));
  const handle = await freshDatabase(engine);
  const { db } = handle;
  const clock = fixedClock(1_700_000_000_000);
  for (const name of ['front', 'back'])
    await db
      .insertInto('projects')
      .values({ id: `project-${name}`, name, public: 0, created_by: 'test', created_at: 0 })
      .execute();
  const blobs = await openFilesystemBlobStore({ root: join(root, 'new'), clock });
  const problems: Problem[] = [];
  const judged: Digest[] = [];
  const requireProject = createProjectCheck(
    {
      kindOf: async (name) => (name === 'hub' ? 'mirror' : ['front', 'back'].includes(name) ? 'ordinary' : undefined),
      create: () => Promise.reject(new Error('none is to be made')),
    },
    { create: false, dryRun: false },
  );
  return {
    folder,
    db,
    blobs,
    problems,
    judged,
    async import(options = {}, change = (target) => target, link = false) {
      problems.length = 0;
      const target = createStoreTarget(
        { db, clock, blobs, judge: async ({ digest }) => void judged.push(digest) },
        { requireProject, link, actor: 'system' },
      );
      const report = createReport();
      const onProblem = (problem: Problem) => {
        problems.push(problem);
        addProblem(report, problem);
      };
      await importAll(
        {
          source: await openDistributionFolder(folder.root, onProblem),
          target: change(target),
          patience: createPatience({ clock, wait: async () => undefined, onPause: () => undefined }),
        },
        {
          filter: createFilter([]),
          nameHere: (name) => nameHere(name, {}),
          taggedOnly: false,
          dryRun: false,
          jobs: 3,
          onProblem,
          onRepository: () => undefined,
          onProgress: () => undefined,
          ...options,
        },
        report,
      );
      return report;
    },
    digestOf: async (repository, reference) => (await findManifest(db, repository, reference))?.digest,
    async read(digest) {
      const chunks: Buffer[] = [];
      for await (const chunk of (await blobs.open(parseDigest(digest))) ?? []) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    },
    async close() {
      await handle.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
