import { S3Client } from '@aws-sdk/client-s3';
import type { S3Options } from './options.ts';

/** Tries of a request that may be repeated. */
export const ATTEMPTS = 4;
const CONNECT_MS = 5000;
const CONNECTIONS = 256;
/** Credentials from files are read again after this: they may be replaced while we run. */
const CREDENTIALS_MS = 5 * 60_000;
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** The SDK's client, made to work with any store that speaks S3. `endpoint`: another address of the same store. */
export function createClient(options: S3Options, timeoutMs: number, endpoint = options.endpoint): S3Client {
  const { credentials, clock } = options;
  return new S3Client({
    region: options.region,
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: options.pathStyle,
    ...(credentials
      ? {
          credentials: async () => ({
            ...(await credentials()),
            expiration: new Date(clock.now() + CREDENTIALS_MS),
          }),
        }
      : {}),
    maxAttempts: ATTEMPTS,
    logger: SILENT,
    // Newer checksums and waiting for a "continue" are Amazon's own; the hash in the signature does the same everywhere.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: timeoutMs,
      httpAgent: { maxSockets: CONNECTIONS },
      httpsAgent: { maxSockets: CONNECTIONS },
    },
  });
}
