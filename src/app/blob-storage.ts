import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore } from '../blobs/blob-store.ts';
import { openFilesystemBlobStore } from '../blobs/drivers/filesystem.ts';
import type { S3Credentials } from '../blobs/drivers/s3/options.ts';
import { type Config, ConfigError } from '../config.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';

const MIB = 1024 * 1024;

/** Opens the blob storage the configuration names: a bucket, or the data folder. */
export async function openBlobStorage(config: Config, clock: Clock): Promise<BlobStore> {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*?)\/?$/.exec(config.blobs ?? '') ?? [];
  if (bucket === undefined) return openFilesystemBlobStore({ root: config.dataDir, clock });
  // Loaded only where it is used: it takes longer to load than most commands run.
  const { openS3BlobStore } = await import('../blobs/drivers/s3/s3.ts');
  return openS3BlobStore({
    bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    region: config.s3Region,
    endpoint: config.s3Endpoint,
    pathStyle: config.s3PathStyle ?? config.s3Endpoint !== undefined,
    credentials: credentialsOf(config),
    uniformPartSize: config.s3PartSize === undefined ? undefined : config.s3PartSize * MIB,
    timeoutMs: config.s3TimeoutSeconds * 1000,
    redirect: config.s3Redirect ? { endpoint: config.s3PublicEndpoint } : undefined,
    spoolDir: join(config.dataDir, 'spool'),
    clock,
  });
}

function credentialsOf(config: Config): (() => Promise<S3Credentials>) | undefined {
  const { s3AccessKey, s3AccessKeyFile = '', s3SecretKey, s3SecretKeyFile = '' } = config;
  if ((s3AccessKey ?? s3AccessKeyFile) === '') return undefined;
  return async () => ({
    accessKeyId: s3AccessKey ?? (await readKey(s3AccessKeyFile)),
    secretAccessKey: s3SecretKey ?? (await readKey(s3SecretKeyFile)),
  });
}

async function readKey(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new ConfigError('config_invalid', `cannot read the S3 key file ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
