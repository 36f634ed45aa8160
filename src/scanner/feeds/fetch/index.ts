import { mkdir } from 'node:fs/promises';
import { messageOf } from '../../../platform/errors.ts';
import type { HttpClient } from '../../../platform/http-client.ts';
import { FetchError } from './errors.ts';
import { DEFAULT_SOURCES, SOURCE_KINDS } from './sources.ts';
import type { FetchOutcome } from './types.ts';

/** What came of one source: its outcome, or why there is none and what was there before stays in use. */
export type SourceReport = { readonly source: string } & (
  | (FetchOutcome & {
      readonly ok: true;
      /** Host it is fetched from first. */
      readonly from: string;
    })
  | { readonly ok: false; readonly error: string }
);

export interface FetchOptions {
  readonly http: HttpClient;
  /** Folder of feeds; what is in it is brought up to date. */
  readonly to: string;
  /** Names of sources: `osv:Debian`, `alpine-secdb:v3.20`, `cisa-kev`; the usual ones when empty. */
  readonly sources: readonly string[];
  /** Addresses by kind of source (`osv`, `nvd`), tried in order instead of the publisher's. */
  readonly mirrors: ReadonlyMap<string, readonly string[]>;
  /** Epoch ms. */
  readonly now: number;
  readonly signal?: AbortSignal;
  readonly onReport?: (report: SourceReport) => void;
}

/**
 * Fetches advisory feeds into a folder, one source after the other, only what changed. A source that fails is reported and the
 * others go on; its old files stay. Throws `FetchError('refused')` for the name of a source that there is none of, before
 * anything is fetched.
 */
export async function fetchFeeds(options: FetchOptions): Promise<readonly SourceReport[]> {
  const { http, to, now, signal, mirrors } = options;
  const wanted = (options.sources.length > 0 ? options.sources : DEFAULT_SOURCES).map(parseSource);
  for (const kind of mirrors.keys()) if (!SOURCE_KINDS.has(kind)) throw unknown(kind);
  await mkdir(to, { recursive: true });
  const reports: SourceReport[] = [];
  for (const { source, scope, kind } of wanted) {
    signal?.throwIfAborted();
    const addresses = mirrors.get(nameOf(source)) ?? [kind.base];
    const bases = addresses.map((base) => base.replace(/\/+$/, ''));
    let report: SourceReport;
    try {
      const outcome = await kind.fetch(scope, { http, to, bases, ...(signal ? { signal } : {}) }, now);
      report = { source, ok: true, from: new URL(bases[0] ?? '').host, ...outcome };
    } catch (error) {
      signal?.throwIfAborted();
      report = { source, ok: false, error: messageOf(error) };
    }
    reports.push(report);
    options.onReport?.(report);
  }
  return reports;
}

function parseSource(source: string) {
  const name = nameOf(source);
  const scope = source === name ? undefined : source.slice(name.length + 1);
  const kind = SOURCE_KINDS.get(name);
  const scoped = name === 'osv' || name === 'alpine-secdb';
  const complete = name === 'osv' ? scope !== undefined : true;
  if (!kind || !complete || (scope !== undefined && (!scoped || !/^[A-Za-z0-9][\w .+-]{0,99}$/.test(scope)))) {
    throw unknown(source);
  }
  return { source, scope, kind };
}

function nameOf(source: string): string {
  return source.split(':', 1)[0] ?? source;
}

function unknown(source: string): FetchError {
  const names = [...SOURCE_KINDS.keys()].map((name) => (name === 'osv' ? 'osv:<Ecosystem>' : name)).join(', ');
  return new FetchError('refused', `there is no source ${JSON.stringify(source)}; there are: ${names}`);
}
