import type { Digest } from '../oci/digest.ts';
import type { ByteSource } from '../platform/streams.ts';

export interface ImportedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Byte for byte. */
  readonly content: Buffer;
}

export interface ImportedBlob {
  open(): Promise<{ readonly size: number; readonly content: ByteSource }>;
  /** Where it is as a file of this machine, for targets that can take it as it lies. */
  readonly file?: string;
}

/** Where images come from. Lists are read piece by piece, however long they are. What is not there whole throws `ImportError`. */
export interface ImportSource {
  repositories(): AsyncIterable<string>;
  tags(repository: string): AsyncIterable<string>;
  /** Every manifest, tagged or not; absent where the source cannot list them. */
  revisions?(repository: string): AsyncIterable<Digest>;
  /** What refers to a manifest without being tagged; absent where `revisions` or the tags show it anyway. */
  readonly referrers?: (repository: string, subject: Digest) => Promise<readonly Digest[]>;
  digestOf(repository: string, tag: string): Promise<Digest>;
  /** Verified: the bytes have the digest. */
  manifest(repository: string, digest: Digest): Promise<ImportedManifest>;
  /** Opens nothing yet; a source that can tell cheaply that it is not there does. `size` is what the manifest says. */
  blob(repository: string, blob: { readonly digest: Digest; readonly size: number }): Promise<ImportedBlob>;
}

/** Where images go. What it has is the state of an import: it is asked, and nothing is sent twice. */
export interface ImportTarget {
  /** Throws `ImportError('refused')` when images cannot be put into the project, with what to do. */
  readonly requireProject: (project: string) => Promise<void>;
  /** What a tag or digest stands for there. */
  find(repository: string, reference: string): Promise<Digest | undefined>;
  hasBlob(repository: string, digest: Digest): Promise<boolean>;
  /** Takes the blob over from `home`, or any repository of the target, where it can, else from the source. Verifies the bytes. */
  putBlob(
    repository: string,
    digest: Digest,
    from: { readonly home: string | undefined; readonly blob: () => Promise<ImportedBlob> },
  ): Promise<PutBlob>;
  putManifest(repository: string, manifest: ImportedManifest, tag: string | undefined): Promise<void>;
}

export type PutBlob =
  | { readonly how: 'mounted' }
  | { readonly how: 'sent' | 'linked' /** Bytes. */; readonly size: number };

/** A thing that was not imported, and why. */
export interface Problem {
  /** `front/app:1.0`, `front/app@sha256:…`, or a path of the source. */
  readonly what: string;
  readonly reason: string;
}
