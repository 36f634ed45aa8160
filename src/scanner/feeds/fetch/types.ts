import type { HttpClient } from '../../../platform/http-client.ts';

/** What every source is fetched with. */
export interface FetchContext {
  readonly http: HttpClient;
  /** Folder of feeds, laid out as `db build` reads it. */
  readonly to: string;
  /** Addresses the source is to be had at, in the order they are tried, without a slash at the end. */
  readonly bases: readonly string[];
  readonly signal?: AbortSignal;
}

/** What came of a source. */
export interface FetchOutcome {
  readonly changed: boolean;
  /** Bytes received. */
  readonly bytes: number;
  /** A few words: `unchanged`, `12 changed, 1 removed`. */
  readonly detail: string;
}
