import type { Digest } from '../oci/digest.ts';
import type { ByteSource } from '../platform/streams.ts';

/** One layer of an image, from wherever the image is. */
export interface SourceLayer {
  /** Absent where layers have no digest: plain folders, single tarballs. */
  readonly digest?: Digest;
  /** A hint only. */
  readonly mediaType?: string;
  /** Opens the bytes as stored; each call a new reading. */
  open(): Promise<ByteSource>;
}

/** An image to look into. */
export interface ImageSource {
  /** What the user called it, or what the archive says it is. */
  readonly name: string;
  /** Digest of the manifest, where there is one. */
  readonly digest?: Digest;
  readonly layers: readonly SourceLayer[];
  /** Frees what was opened or unpacked for it. */
  close(): Promise<void>;
}

export interface SourceOptions {
  /** `os/architecture[/variant]` to take from an image for several. */
  readonly platform?: string;
}
