import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CopyObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { type DebianPostgres, startDebianPostgres } from '../support/debian-postgres.ts';
import { isLeftOut } from '../support/peers.ts';
import type { Outcome } from '../support/program.ts';
import { S3_ACCOUNT } from '../support/s3-server.ts';
import { type S3World, startS3World } from '../support/s3-world.ts';
import { pullSmallImage, pushSmallImage } from '../support/small-images.ts';
import { openWire } from '../support/wire.ts';

const PUSHERS = 3;
const [BUCKET, COPY] = ['live', 'copy'];

describe.skipIf(isLeftOut('versitygw') || isLeftOut('pg_dump'))('the documented order for PostgreSQL and S3', () => {
  let work: string;
  let world: S3World;
  let postgres: DebianPostgres;
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'breakwater-dump-'));
    [world, postgres] = await Promise.all([startS3World(), startDebianPostgres()]);
    await world.server.createBucket(BUCKET);
    await world.server.createBucket(COPY);
    for (const name of ['live', 'restored'])
      await done(postgres.tool('createdb', `--maintenance-db=${postgres.url('postgres')}`, name));
  });
  afterAll(async () => {
    await Promise.all([world?.stop(), postgres?.stop()]);
    await rm(work, { recursive: true, force: true });
  });

  const start = (database: string, bucket: string): Promise<BreakwaterServer> =>
    startBreakwater({
      environment: {
        BREAKWATER_DATABASE_URL: postgres.url(database),
        BREAKWATER_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
        BREAKWATER_BLOBS: `s3://${bucket}/here`,
        BREAKWATER_S3_ENDPOINT: world.server.endpoint,
        BREAKWATER_S3_ACCESS_KEY: S3_ACCOUNT.accessKeyId,
        BREAKWATER_S3_SECRET_KEY: S3_ACCOUNT.secretAccessKey,
      },
    });

  it('gives back all that was acknowledged before the dump began, while everybody pushed', async () => {
    const server = await start('live', BUCKET);
    await done(server.cli(['project', 'create', 'front']));
    const wire = openWire({ url: server.url, user: 'admin', password: server.password });
    const acknowledged = new Map<string, string>();
    const stopping = new AbortController();
    const pushing = Promise.all(
      Array.from({ length: PUSHERS }, async (_, pusher) => {
        for (let round = 0; !stopping.signal.aborted; round += 1) {
          const tag = `t${pusher}-${round}`;
          acknowledged.set(tag, await pushSmallImage(wire, tag));
        }
      }),
    );
    const until = async (images: number) => {
      while (acknowledged.size < images) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await until(30);
    const before = new Map(acknowledged);
    const dump = join(work, 'breakwater.dump');
    await done(postgres.tool('pg_dump', '--format=custom', `--file=${dump}`, postgres.url('live')));
    await until(before.size + 10);
    // The blobs after the database.
    for (const Key of await world.keys(BUCKET))
      await world.server.client
        .send(new CopyObjectCommand({ Bucket: COPY, Key, CopySource: `${BUCKET}/${Key}` }))
        .catch((error: unknown) => {
          // An upload that was finished meanwhile.
          if (!(error instanceof Error) || error.name !== 'NoSuchKey') throw error;
        });
    stopping.abort();
    await pushing;
    await wire.close();
    const refused = await server.cli(['backup', join(work, 'none')], {
      environment: { BREAKWATER_DATABASE_URL: postgres.url('live') },
    });
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('pg_dump')]);
    expect(await server.stop()).toBe(0);

    await done(postgres.tool('pg_restore', '--no-owner', `--dbname=${postgres.url('restored')}`, dump));
    const restored = await start('restored', COPY);
    const there = openWire({ url: restored.url, user: 'admin', password: server.password });
    for (const [tag, digest] of before) expect(await pullSmallImage(there, tag), tag).toBe(digest);
    await there.close();
    // Every row of the dump has its blob, and the ledger its chain.
    const days = ['--from', '2020-01-01', '--to', '2100-01-01'];
    const evidence = await restored.cli(['evidence', 'export', ...days, '--out', join(work, 'evidence.json')]);
    expect(evidence.code, evidence.screen).toBe(0);
    expect(await restored.stop()).toBe(0);
  });
});

async function done(outcome: Promise<Outcome>): Promise<void> {
  const result = await outcome;
  expect(result.code, result.screen).toBe(0);
}
