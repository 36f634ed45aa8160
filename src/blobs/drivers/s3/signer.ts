import { GetObjectCommand } from '@aws-sdk/client-s3';
import { createClient } from './client.ts';
import type { S3Options } from './options.ts';

/** Long enough to begin a download and to take it up again after a pause. */
const VALID_SECONDS = 20 * 60;

/** Makes addresses at which whoever has one may read an object for twenty minutes. `endpoint`: where clients reach the store. */
export async function createSigner(
  options: S3Options,
  endpoint = options.endpoint,
): Promise<(key: string) => Promise<string>> {
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
  const client = createClient(options, options.timeoutMs, endpoint);
  return (key) =>
    getSignedUrl(client, new GetObjectCommand({ Bucket: options.bucket, Key: key }), { expiresIn: VALID_SECONDS });
}
