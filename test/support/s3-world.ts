import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListMultipartUploadsCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { BlobStore } from '../../src/blobs/blob-store.ts';
import type { S3Options } from '../../src/blobs/drivers/s3/options.ts';
import { openS3BlobStore } from '../../src/blobs/drivers/s3/s3.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { S3_ACCOUNT, type S3Server, startS3Server } from './s3-server.ts';
import { startTroubledProxy, type TroubledProxy } from './troubled-proxy.ts';

/** A store, a proxy in front of it that can make trouble, and drivers over them. */
export interface S3World {
  readonly server: S3Server;
  readonly proxy: TroubledProxy;
  /** Another process, as far as a driver can tell: it shares nothing but the bucket. */
  replica(bucket: string, changes?: Partial<S3Options>): Promise<BlobStore>;
  /** All keys of a bucket, sorted. */
  keys(bucket: string): Promise<string[]>;
  /** Uploads in parts that were neither finished nor aborted. */
  openUploads(bucket: string): Promise<{ readonly Key?: string | undefined; readonly UploadId?: string | undefined }[]>;
  stop(): Promise<void>;
}

export async function startS3World(): Promise<S3World> {
  const server = await startS3Server();
  const proxy = await startTroubledProxy(server.endpoint);
  const spoolDir = await mkdtemp(join(tmpdir(), 'breakwater-s3-spool-'));
  const { client } = server;
  return {
    server,
    proxy,
    replica: (bucket, changes) =>
      openS3BlobStore({
        bucket,
        prefix: 'registry/',
        region: 'us-east-1',
        endpoint: proxy.url,
        pathStyle: true,
        credentials: async () => S3_ACCOUNT,
        timeoutMs: 10_000,
        spoolDir,
        clock: systemClock,
        ...changes,
      }),
    async keys(Bucket) {
      const keys: string[] = [];
      for await (const page of paginateListObjectsV2({ client }, { Bucket }))
        keys.push(...(page.Contents ?? []).map((entry) => entry.Key ?? ''));
      return keys.sort();
    },
    async openUploads(Bucket) {
      return (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [];
    },
    async stop() {
      await proxy.close();
      await server.stop();
      await rm(spoolDir, { recursive: true, force: true });
    },
  };
}
