import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { describeBlobStore } from '../../src/blobs/conformance.ts';
import { openS3BlobStore } from '../../src/blobs/drivers/s3/s3.ts';
import { newId } from '../../src/platform/ids.ts';
import { isLeftOut } from '../support/peers.ts';
import { S3_ACCOUNT, type S3Server, startS3Server } from '../support/s3-server.ts';

let server: S3Server;
let spoolDir: string;
beforeAll(async () => {
  server = await startS3Server();
  await server.createBucket('conformance');
  spoolDir = await mkdtemp(join(tmpdir(), 'breakwater-s3-spool-'));
});
afterAll(async () => {
  await server.stop();
  await rm(spoolDir, { recursive: true, force: true });
});

describe.skipIf(isLeftOut('versitygw'))('the port on a real store', () => {
  for (const uniformPartSize of [undefined, 5 * 1024 * 1024])
    describeBlobStore(`S3, ${uniformPartSize ? 'equal' : 'growing'} parts`, (clock) =>
      openS3BlobStore({
        bucket: 'conformance',
        prefix: `${newId()}/`,
        region: 'us-east-1',
        endpoint: server.endpoint,
        pathStyle: true,
        credentials: async () => S3_ACCOUNT,
        uniformPartSize,
        timeoutMs: 10_000,
        spoolDir,
        clock,
      }),
    );
});
