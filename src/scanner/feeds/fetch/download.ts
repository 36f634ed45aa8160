import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { messageOf } from '../../../platform/errors.ts';
import { type HttpClient, type HttpResponse, redactUrl } from '../../../platform/http-client.ts';
import { syncPath } from '../../../platform/sync-path.ts';
import { FetchError } from './errors.ts';

const stateSchema = z.object({
  url: z.string(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  size: z.number().optional(),
});
type State = z.infer<typeof stateSchema>;

export interface DownloadOptions {
  readonly http: HttpClient;
  /** Addresses of the same file, tried in this order. */
  readonly urls: readonly string[];
  readonly to: string;
  /** Largest file that is taken. */
  readonly limit: number;
  /** Looks at a file that arrived whole before it takes the place of the old one; throws when it is not what it should be. */
  readonly accept?: (path: string) => Promise<void>;
  readonly signal?: AbortSignal;
}

export interface Download {
  readonly changed: boolean;
  /** Bytes received. */
  readonly bytes: number;
  readonly url: string;
}

/**
 * Fetches a file if it is not the one at hand (ETag, Last-Modified), into place by rename when it has arrived whole. A transfer
 * that breaks off goes on where it stopped the next time, if the file is still the same. The old file stays on failure. Throws
 * `FetchError` with what each address said.
 */
export async function download(options: DownloadOptions): Promise<Download> {
  const said: string[] = [];
  let last: unknown;
  for (const url of options.urls) {
    try {
      return await downloadFrom(url, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      said.push(messageOf(error));
      last = error;
    }
  }
  const code = last instanceof FetchError ? last.code : 'unavailable';
  throw new FetchError(code, said.join('; ') || 'no address is configured', { cause: last });
}

async function downloadFrom(url: string, { http, to, limit, accept, signal }: DownloadOptions): Promise<Download> {
  const [part, stateFile] = [`${to}.part`, `${to}.state`];
  await mkdir(dirname(to), { recursive: true });
  const known = await knownState(to, stateFile, url);
  const begun = await begunState(part, url);
  const reply = await http.send({
    url,
    headers: begun ? { range: `bytes=${begun.size}-`, 'if-range': begun.etag } : conditions(known),
    ...(signal ? { signal } : {}),
  });
  if (reply.status === 304) {
    await reply.discard();
    return { changed: false, bytes: 0, url };
  }
  const resumed = reply.status === 206 && begun !== undefined && startsAt(reply, begun.size);
  if (reply.status === 416 || (reply.status === 206 && !resumed)) {
    await reply.discard();
    await rm(part, { force: true });
    throw new FetchError('broken_off', `${redactUrl(url)} cannot go on where it stopped; the next try starts anew`);
  }
  if (reply.status !== 200 && reply.status !== 206) throw await refusal(reply, url);
  const state = stateOf(reply, url);
  const offset = resumed ? begun.size : 0;
  const bytes = await receive(reply, part, { offset, limit, url, ...(resumed ? {} : { state }) });
  await acceptPart(part, accept);
  await syncPath(part);
  await rename(part, to);
  await rm(`${part}.state`, { force: true });
  await writeFile(stateFile, JSON.stringify({ ...state, size: offset + bytes }));
  return { changed: true, bytes, url };
}

async function acceptPart(part: string, accept: DownloadOptions['accept']): Promise<void> {
  try {
    await accept?.(part);
  } catch (cause) {
    await Promise.all([rm(part, { force: true }), rm(`${part}.state`, { force: true })]);
    throw new FetchError('invalid', messageOf(cause), { cause });
  }
}

/** Fetches a small text. Throws `FetchError` with what each address said. */
export async function downloadText(options: Omit<DownloadOptions, 'to' | 'accept'>): Promise<string> {
  const said: string[] = [];
  for (const url of options.urls) {
    try {
      const reply = await options.http.send({ url, ...(options.signal ? { signal: options.signal } : {}) });
      if (reply.status !== 200) throw await refusal(reply, url);
      return await reply.readText(options.limit);
    } catch (error) {
      options.signal?.throwIfAborted();
      said.push(messageOf(error));
    }
  }
  throw new FetchError('unavailable', said.join('; ') || 'no address is configured');
}

interface Reception {
  readonly offset: number;
  readonly limit: number;
  readonly url: string;
  /** What is known of the file that begins to arrive. */
  readonly state?: State;
}

async function receive(reply: HttpResponse, part: string, { offset, limit, url, state }: Reception): Promise<number> {
  if (state) await writeFile(`${part}.state`, JSON.stringify(state));
  const expected = Number(reply.header('content-length') ?? Number.NaN);
  const encoded = reply.header('content-encoding') !== undefined;
  if (offset + expected > limit) {
    await reply.discard();
    throw new FetchError('too_large', `${redactUrl(url)} has ${offset + expected} bytes, at most ${limit} are taken`);
  }
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of reply.body) {
      bytes += chunk.byteLength;
      if (offset + bytes > limit) {
        throw new FetchError('too_large', `${redactUrl(url)} has over ${limit} bytes, which is the most that is taken`);
      }
      yield chunk;
    }
  }
  try {
    await pipeline(counted(), createWriteStream(part, { flags: offset > 0 ? 'a' : 'w' }));
  } catch (error) {
    if (error instanceof FetchError) {
      await rm(part, { force: true });
      throw error;
    }
    throw new FetchError('broken_off', `${redactUrl(url)} broke off after ${offset + bytes} bytes`, { cause: error });
  }
  if (!encoded && Number.isFinite(expected) && bytes !== expected) {
    throw new FetchError('broken_off', `${redactUrl(url)} sent ${bytes} of ${expected} bytes`);
  }
  return bytes;
}

async function refusal(reply: HttpResponse, url: string): Promise<FetchError> {
  await reply.discard();
  const code = reply.status >= 500 || reply.status === 429 ? 'unavailable' : 'refused';
  return new FetchError(code, `${redactUrl(url)} answered ${reply.status}`);
}

function stateOf(reply: HttpResponse, url: string): State {
  const [etag, lastModified] = [reply.header('etag'), reply.header('last-modified')];
  return { url, ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) };
}

function conditions(known: State | undefined): Record<string, string> {
  if (known?.etag) return { 'if-none-match': known.etag };
  return known?.lastModified ? { 'if-modified-since': known.lastModified } : {};
}

/** What is known of the file at hand, if it is the one that was fetched from this address. */
async function knownState(to: string, stateFile: string, url: string): Promise<State | undefined> {
  const [state, info] = await Promise.all([readState(stateFile), stat(to).catch(() => undefined)]);
  return info !== undefined && state?.url === url && state.size === info.size ? state : undefined;
}

/** A transfer that broke off and can go on: only with a strong validator (RFC 9110, 13.1.5). */
async function begunState(
  part: string,
  url: string,
): Promise<{ readonly size: number; readonly etag: string } | undefined> {
  const [state, info] = await Promise.all([readState(`${part}.state`), stat(part).catch(() => undefined)]);
  if (!info?.size || state?.url !== url || !state.etag || state.etag.startsWith('W/')) return undefined;
  return { size: info.size, etag: state.etag };
}

async function readState(path: string): Promise<State | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function startsAt(reply: HttpResponse, offset: number): boolean {
  return reply.header('content-range')?.startsWith(`bytes ${offset}-`) ?? false;
}
