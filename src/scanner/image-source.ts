import type { Digest } from '../oci/digest.ts';
import type { ByteSource } from '../platform/streams.ts';

/** A file of this machine, or a part of one. */
export interface FilePart {
  readonly path: string;
  /** Where it begins, in bytes; from the begin when absent. */
  readonly start?: number;
  /** To the end of the file when absent. */
  readonly size?: number;
}

/** One layer of an image, from wherever the image is. */
export interface SourceLayer {
  /** Absent where layers have no digest: plain folders, single tarballs. */
  readonly digest?: Digest;
  /** A hint only. */
  readonly mediaType?: string;
  /** The build step that made it, as the image's history tells. */
  readonly createdBy?: string;
  /** Opens the bytes as stored, or says where they lie; each call a new reading. */
  open(): Promise<ByteSource | FilePart>;
}

/** A layer that lies nowhere on this machine. */
export interface StreamedLayer extends SourceLayer {
  open(): Promise<ByteSource>;
}

/** An image to look into. */
export interface ImageSource<Layer extends SourceLayer = SourceLayer> {
  /** What the user called it, or what the archive says it is. */
  readonly name: string;
  /** Digest of the manifest, where there is one. */
  readonly digest?: Digest;
  readonly layers: readonly Layer[];
  /** Frees what was opened or unpacked for it. */
  close(): Promise<void>;
}

export interface SourceOptions {
  /** `os/architecture[/variant]` to take from an image for several. */
  readonly platform?: string;
  /** Name or digest of the image to take from an archive or layout that holds several. */
  readonly image?: string;
}
