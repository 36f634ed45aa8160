import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { readBounded } from '../../../platform/streams.ts';
import type { ByteRange } from '../../blob-store.ts';
import { ATTEMPTS, createClient } from './client.ts';
import { asBlobError, isMissing, isPassing, isUploadGone } from './failures.ts';
import type { S3Options } from './options.ts';
import { MOST_PARTS } from './part-sizes.ts';

/** Bytes to be sent, with their hash: the store refuses what arrives otherwise. */
export type Content = { readonly size: number; readonly sha256: string } & (
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'repeatable'; open(): Readable }
);

export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
}

/** A bucket of S3, as far as it is used here. Everything throws `BlobError('storage_failed')`, after some tries where that helps. */
export interface Bucket {
  head(key: string): Promise<{ readonly size: number } | undefined>;
  get(key: string, range: ByteRange): Promise<Readable | undefined>;
  /** An object of ours that is small; more than `limit` bytes are a failure. */
  getSmall(key: string, limit: number): Promise<Buffer | undefined>;
  put(key: string, content: Content): Promise<void>;
  putSmall(key: string, text: string): Promise<void>;
  /** One that is not there is fine. */
  delete(key: string): Promise<void>;
  list(prefix: string): AsyncIterable<{ readonly key: string; readonly modified: number }>;
  startParts(key: string): Promise<string>;
  putPart(key: string, upload: string, number: number, content: Content): Promise<Part>;
  /** By number; undefined when the upload is gone. */
  listParts(key: string, upload: string): Promise<readonly Part[] | undefined>;
  /** False when the upload is gone or a part is not the one that was sent. */
  completeParts(key: string, upload: string, parts: readonly Part[]): Promise<boolean>;
  /** An upload that is gone is fine. */
  abortParts(key: string, upload: string): Promise<void>;
}

/** Putting parts together may take the store as long as copying them. */
const COMPLETION_MS = 15 * 60_000;
const PAUSE_MS = 150;
const BINARY = 'application/octet-stream';

export function openBucket(options: S3Options): Bucket {
  const { bucket: Bucket, region } = options;
  const place = { bucket: Bucket, endpoint: options.endpoint ?? 'of Amazon', region };
  const client = createClient(options, options.timeoutMs);
  const patient = createClient(options, Math.max(options.timeoutMs, COMPLETION_MS));

  async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw asBlobError(error, place);
    }
  }

  async function getAny(key: string, range?: ByteRange): Promise<Readable | undefined> {
    const Range = range && { Range: `bytes=${range.first}-${range.last}` };
    const reply = await orMissing(() => client.send(new GetObjectCommand({ Bucket, Key: key, ...Range })));
    return reply?.Body as Readable | undefined;
  }

  return {
    head: (key) =>
      guarded(async () => {
        const reply = await orMissing(() => client.send(new HeadObjectCommand({ Bucket, Key: key })));
        return reply && { size: reply.ContentLength ?? 0 };
      }),

    get: (key, range) => guarded(() => getAny(key, range)),

    getSmall: (key, limit) =>
      guarded(async () => {
        for (let attempt = 1; ; attempt += 1) {
          const body = await getAny(key);
          try {
            return body && (await readBounded(body, limit, `the object ${key}`));
          } catch (error) {
            if (attempt >= ATTEMPTS || !isPassing(error)) throw error;
          }
        }
      }),

    put: (key, content) =>
      guarded(async () => {
        await sendContent(content, (Body) => {
          const command = new PutObjectCommand({ Bucket, Key: key, ContentType: BINARY, ...lengthOf(content), Body });
          return client.send(withHash(command, content));
        });
      }),

    putSmall: (key, text) =>
      guarded(async () => {
        const type = 'application/json';
        await client.send(new PutObjectCommand({ Bucket, Key: key, ContentType: type, Body: Buffer.from(text) }));
      }),

    delete: (key) =>
      guarded(async () => {
        await orMissing(() => client.send(new DeleteObjectCommand({ Bucket, Key: key })));
      }),

    async *list(Prefix) {
      try {
        for await (const page of paginateListObjectsV2({ client, stopOnSameToken: true }, { Bucket, Prefix })) {
          for (const { Key, LastModified } of page.Contents ?? [])
            if (Key !== undefined) yield { key: Key, modified: LastModified?.getTime() ?? 0 };
        }
      } catch (error) {
        throw asBlobError(error, place);
      }
    },

    startParts: (key) =>
      guarded(async () => {
        const reply = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: key, ContentType: BINARY }));
        return known(reply.UploadId);
      }),

    putPart: (key, upload, number, content) =>
      guarded(async () => {
        const target = { Bucket, Key: key, UploadId: upload, PartNumber: number, ...lengthOf(content) };
        const reply = await sendContent(content, (Body) =>
          client.send(withHash(new UploadPartCommand({ ...target, Body }), content)),
        );
        return { number, etag: known(reply.ETag), size: content.size };
      }),

    listParts: (key, upload) =>
      guarded(async () => {
        const parts: Part[] = [];
        const target = { Bucket, Key: key, UploadId: upload };
        // Not the SDK's own paging: it goes on as long as there is a marker, and stores give one on the last page too.
        for (let PartNumberMarker: string | undefined; ; ) {
          const page = await orGone(() => client.send(new ListPartsCommand({ ...target, PartNumberMarker })));
          if (!page) return undefined;
          for (const { PartNumber = 0, ETag, Size = 0 } of page.Parts ?? [])
            parts.push({ number: PartNumber, etag: known(ETag), size: Size });
          if (!page.IsTruncated || !page.Parts?.length || parts.length >= MOST_PARTS) return parts;
          PartNumberMarker = page.NextPartNumberMarker;
        }
      }),

    completeParts: (key, upload, parts) =>
      guarded(async () => {
        const Parts = parts.map((part) => ({ PartNumber: part.number, ETag: part.etag }));
        const target = { Bucket, Key: key, UploadId: upload, MultipartUpload: { Parts } };
        const done = await orGone(() => patient.send(new CompleteMultipartUploadCommand(target)));
        return done !== undefined;
      }),

    abortParts: (key, upload) =>
      guarded(async () => {
        await orGone(() => client.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId: upload })));
      }),
  };
}

async function orMissing<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function orGone<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isUploadGone(error) || isMissing(error)) return undefined;
    throw error;
  }
}

/** The SDK repeats requests with a body in memory, but no streams. */
async function sendContent<Result>(content: Content, send: (body: Uint8Array | Readable) => Promise<Result>) {
  if (content.kind === 'bytes') return send(content.bytes);
  return again(async () => {
    const body = content.open();
    try {
      return await send(body);
    } finally {
      body.destroy();
    }
  });
}

/** For what the SDK does not repeat. */
async function again<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= ATTEMPTS || !isPassing(error)) throw error;
      await sleep(PAUSE_MS * 2 ** attempt * (0.5 + Math.random()));
    }
  }
}

/** Puts the hash of the whole content into the signature, where it would otherwise stand that a stream is not signed. */
function withHash<Command extends PutObjectCommand | UploadPartCommand>(command: Command, content: Content): Command {
  // The same for both, which the compiler does not see.
  const stack = command.middlewareStack as PutObjectCommand['middlewareStack'];
  stack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers['x-amz-content-sha256'] = content.sha256;
      return next(args);
    },
    { step: 'build', name: 'hashOfContent' },
  );
  return command;
}

function lengthOf(content: Content): { readonly ContentLength: number } {
  return { ContentLength: content.size };
}

function known(value: string | undefined): string {
  if (value === undefined) throw new Error('the store answered without the name of what it made');
  return value;
}
