import type { Clock } from '../../../platform/clock.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Options {
  readonly bucket: string;
  /** Before every key; empty, or ends in `/`. */
  readonly prefix: string;
  readonly region: string;
  /** `https://s3.example.com`; absent: Amazon's own for the region. */
  readonly endpoint?: string | undefined;
  /** The bucket is a part of the path, not of the host name. */
  readonly pathStyle: boolean;
  /** Asked again every few minutes. Absent: what the SDK finds (environment, files, the machine's role). */
  readonly credentials?: (() => Promise<S3Credentials>) | undefined;
  /** Makes all parts of an upload but the last one this large, in bytes, for stores that demand it; absent: they grow. */
  readonly uniformPartSize?: number | undefined;
  /** How long the store may be silent. */
  readonly timeoutMs: number;
  /** Gives clients addresses at which they read content from the store itself, under `endpoint` when that differs for them. */
  readonly redirect?: { readonly endpoint?: string | undefined } | undefined;
  /** A local folder for parts on their way. */
  readonly spoolDir: string;
  readonly clock: Clock;
}
