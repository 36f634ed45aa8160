import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from './free-port.ts';
import { requirePeer } from './peers.ts';
import { startService, until } from './program.ts';

/** The only account of the store. */
export const S3_ACCOUNT = { accessKeyId: 'tester', secretAccessKey: 'secret-key-of-tests' } as const;

/** versitygw, a real S3 store, on the loopback address. */
export interface S3Server {
  readonly endpoint: string;
  readonly pid: number;
  /** The SDK's own client, to look behind the back of ours. */
  readonly client: S3Client;
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it on a free port over a folder of its own. */
export async function startS3Server(): Promise<S3Server> {
  const program = requirePeer('versitygw');
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-s3-'));
  const [data, sidecar] = [join(folder, 'data'), join(folder, 'sidecar')];
  for (const one of [data, sidecar]) await mkdir(one);
  const address = `127.0.0.1:${await freePort()}`;
  const endpoint = `http://${address}`;
  // The sidecar holds attributes, which not every file system can.
  const service = await startService(program, ['--port', address, 'posix', '--sidecar', sidecar, data], {
    environment: { ROOT_ACCESS_KEY: S3_ACCOUNT.accessKeyId, ROOT_SECRET_KEY: S3_ACCOUNT.secretAccessKey },
  });
  await until(() => isListening(endpoint), { limitMs: 20_000, describe: () => 'versitygw did not start:', service });
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: S3_ACCOUNT });
  return {
    endpoint,
    pid: service.pid,
    client,
    async createBucket(Bucket) {
      await client.send(new CreateBucketCommand({ Bucket }));
    },
    async stop() {
      client.destroy();
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Any answer will do: without credentials it is a refusal. */
async function isListening(endpoint: string): Promise<boolean> {
  try {
    await fetch(endpoint, { signal: AbortSignal.timeout(2000) });
    return true;
  } catch {
    return false;
  }
}
