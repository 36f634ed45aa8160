import type { AdvisorySource } from '../../model/coverage.ts';
import type { AdvisoryLookup, AdvisoryStatement } from '../matcher/lookup.ts';

/** Identity of the facts about one package: findings for it can change only when these differ. */
export interface AdvisoryKey {
  /** `Alpine:v3.20`, `Debian:12`, `npm`. */
  readonly ecosystem: string;
  /** Name advisories use: the source package for apk and deb, the name otherwise. */
  readonly name: string;
}

/** A key with the hash of everything findings on it can depend on: statements, severities, KEV, EPSS. */
export interface HashedKey extends AdvisoryKey {
  readonly hash: string;
}

/** An opened advisory database: read-only, immutable, point queries. */
export interface AdvisoryDatabase extends AdvisoryLookup {
  /** Hash of the content, `sha256:…`: two builds from the same feeds have the same version. */
  readonly version: string;
  /** RFC 3339. */
  readonly builtAt: string;
  readonly sources: readonly AdvisorySource[];
  readonly path: string;
  /** Every key, ascending by ecosystem and name (by bytes). */
  keys(): Iterable<HashedKey>;
  /** Every statement whose advisory or vulnerability is called one of these ids, in capitals or not. With pauses. */
  mentioning(ids: readonly string[]): AsyncIterable<AdvisoryStatement>;
  close(): void;
}

/** The installed databases: one is current, older ones are kept for a while. */
export interface AdvisoryStore {
  /** The database in use; undefined before the first one is installed. Stays open until replaced and released. */
  current(): AdvisoryDatabase | undefined;
  /** Verifies a database file (schema, content hash), installs it and makes it current. `name`: in messages, instead of the path. */
  importFile(path: string, name?: string): Promise<AdvisoryInstallation>;
  /** Calls back after each swap; gives the function that ends it. */
  onChange(listener: (installation: AdvisoryInstallation) => void): () => void;
  close(): void;
}

export interface AdvisoryInstallation {
  readonly database: AdvisoryDatabase;
  readonly previous?: AdvisoryDatabase;
  /** False when that very version was current already. */
  readonly changed: boolean;
}
