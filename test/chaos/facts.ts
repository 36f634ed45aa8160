import type { Digest } from '../../src/oci/digest.ts';

/** What is known of something: `either` when a request about it was cut off, or when garbage collection may have it. */
export type Presence = 'there' | 'gone' | 'either';

/** A blob in one repository. */
export interface BlobFact {
  presence: Presence;
  readonly size: number;
  /** A day has passed since it was pushed: garbage collection may take it where no manifest lists it. */
  promiseOver: boolean;
}

export interface ManifestFact {
  presence: Presence;
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly blobs: readonly Digest[];
  readonly children: readonly Digest[];
}

/** A manifest PUT or DELETE that nobody heard the end of: it happened as a whole or not at all. */
export type InDoubt =
  | { readonly kind: 'put'; readonly tag: string; readonly digest: Digest }
  | { readonly kind: 'delete'; readonly digest: Digest; readonly tags: readonly string[] };

/** An upload that was left alone. */
export interface OpenUpload {
  location: string;
  readonly content: Buffer;
  /** Bytes the server said it has. */
  acknowledged: number;
  /** Bytes that may have reached it. */
  sent: number;
  /** Its end was asked for, so it may be finished. */
  ending: boolean;
}

/** Everything clients know of one repository. */
export interface RepositoryFacts {
  readonly name: string;
  /** Its project gives manifests up that nothing keeps. */
  readonly collected: boolean;
  readonly blobs: Map<Digest, BlobFact>;
  readonly manifests: Map<Digest, ManifestFact>;
  readonly tags: Map<string, TagHistory>;
  readonly uploads: Set<OpenUpload>;
  /** Of a repository that one actor alone writes to. */
  inDoubt: InDoubt | undefined;
  /** Asked about since the last look. */
  readonly recent: Set<string>;
}

export function newFacts(name: string, collected: boolean): RepositoryFacts {
  return {
    name,
    collected,
    blobs: new Map(),
    manifests: new Map(),
    tags: new Map(),
    uploads: new Set(),
    inDoubt: undefined,
    recent: new Set(),
  };
}

interface Write {
  readonly value: Digest | undefined;
  readonly began: number;
  /** Undefined: nobody heard the end. */
  ended: number | undefined;
}

/** Writes to one tag by several actors. A write is out of the question once another one began after its end and was acknowledged. */
export class TagHistory {
  static #moment = 0;
  #writes: Write[] = [{ value: undefined, began: 0, ended: 0 }];

  /** A write is sent; gives what to call when it is acknowledged. */
  begin(value: Digest | undefined): () => void {
    TagHistory.#moment += 1;
    const write: Write = { value, began: TagHistory.#moment, ended: undefined };
    this.#writes.push(write);
    return () => {
      TagHistory.#moment += 1;
      write.ended = TagHistory.#moment;
      this.#writes = this.#writes.filter((other) => other === write || (other.ended ?? Infinity) > write.began);
    };
  }

  /** Where it may point now; undefined stands for nowhere. */
  possible(): Set<Digest | undefined> {
    return new Set(this.#writes.map((write) => write.value));
  }

  /** It was looked at while nobody wrote. */
  settle(value: Digest | undefined): void {
    TagHistory.#moment += 1;
    this.#writes = [{ value, began: TagHistory.#moment, ended: TagHistory.#moment }];
  }
}

/** What the tag points at when that is certain; undefined for nothing and for in doubt. */
export function certain(history: TagHistory | undefined): Digest | undefined {
  const values = history?.possible();
  return values?.size === 1 ? [...values][0] : undefined;
}

/** Manifests that garbage collection must not take: all of them where it takes none, else what tags and kept indexes name. */
export function keptManifests(facts: RepositoryFacts): Set<Digest> {
  if (!facts.collected) return new Set(facts.manifests.keys());
  const kept = new Set<Digest>();
  const keep = (digest: Digest): void => {
    if (kept.has(digest)) return;
    kept.add(digest);
    for (const child of facts.manifests.get(digest)?.children ?? []) keep(child);
  };
  for (const history of facts.tags.values()) {
    const digest = certain(history);
    if (digest !== undefined) keep(digest);
  }
  return kept;
}

/** Blobs that manifests list which may be there. */
export function listedBlobs(facts: RepositoryFacts): Set<Digest> {
  const listed = new Set<Digest>();
  for (const manifest of facts.manifests.values())
    if (manifest.presence !== 'gone') for (const digest of manifest.blobs) listed.add(digest);
  return listed;
}
