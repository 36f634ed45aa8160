import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { algorithmOf, type Digest, hexOf } from '../../oci/digest.ts';
import { type ChildDescriptor, MANIFEST_LIMIT, type ParsedManifest, parseManifest } from '../../oci/manifest.ts';
import { ScanError } from '../errors.ts';
import { listOf, memberOf, parseJson, textOf } from '../foreign-json.ts';
import { stepsOfConfig } from '../image-config.ts';
import type { FilePart, ImageSource, SourceOptions } from '../image-source.ts';
import type { ArchiveIndex } from './archive-index.ts';
import { chooseImage } from './choose-manifest.ts';
import { imagesCalled, type NamedImage, severalImages } from './image-names.ts';

/** The files of an OCI layout, in a folder or in an archive. */
export interface LayoutFiles {
  /** Throws `ScanError` when it is not there or larger than `limit`. */
  read(path: string, limit: number): Promise<Buffer>;
  /** Where a file lies on this machine. Throws `ScanError`. */
  locate(path: string): Promise<FilePart>;
  close(): Promise<void>;
}

const LARGEST_CONFIG = 16 * 1024 * 1024;
const NAMES = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/** An image in OCI image layout (image-layout.md). Throws `ScanError`, `ManifestError`. */
export async function openOciLayout(files: LayoutFiles, path: string, options: SourceOptions): Promise<ImageSource> {
  const bytes = await files.read('index.json', MANIFEST_LIMIT);
  const index = parseManifest(bytes, INDEX_TYPE);
  const candidates = candidatesOf(imagesOf(index, bytes), path, options);
  const { manifest, descriptor } = await chooseImage(
    { manifest: { ...index, children: candidates }, what: path },
    async ({ digest, mediaType }) => parseManifest(await files.read(blobPath(digest), MANIFEST_LIMIT), mediaType),
    options.platform,
  );
  const { config } = manifest;
  const steps = config
    ? stepsOfConfig(
        await files.read(blobPath(config.digest), LARGEST_CONFIG).catch(() => undefined),
        manifest.layers.length,
      )
    : [];
  return {
    name: path,
    ...(descriptor ? { digest: descriptor.digest } : {}),
    layers: manifest.layers.map(({ digest, mediaType }, at) => ({
      digest,
      mediaType,
      ...(steps[at] === undefined ? {} : { createdBy: steps[at] }),
      open: () => files.locate(blobPath(digest)),
    })),
    close: () => files.close(),
  };
}

type LaidImage = ChildDescriptor & NamedImage;

/** The images of an index with their names (image-spec, "Pre-Defined Annotation Keys"; containerd has one of its own). */
function imagesOf({ children }: ParsedManifest, bytes: Buffer): readonly LaidImage[] {
  const listed = listOf(memberOf(parseJson(bytes), 'manifests'));
  return children.map((child, at): LaidImage => {
    const annotations = memberOf(listed[at], 'annotations');
    return { ...child, names: NAMES.flatMap((name) => textOf(memberOf(annotations, name)) ?? []) };
  });
}

/** Those among which only the platform may choose. Throws `ScanError('image_ambiguous')` where that would be chance. */
function candidatesOf(images: readonly LaidImage[], path: string, options: SourceOptions): readonly LaidImage[] {
  const { image, platform } = options;
  const called = imagesCalled(images, image, path);
  const fitting = called.filter((one) => one.platform !== 'unknown/unknown' && isFor(one, platform));
  const distinct = new Set(fitting.map(({ digest }) => digest)).size;
  const names = new Set(fitting.map((one) => one.names[0]));
  const platforms = new Set(fitting.map((one) => one.platform));
  if (distinct > 1 && (names.size > 1 || platforms.size < distinct)) throw severalImages(fitting, path);
  return [...new Map(called.map((one) => [one.digest, one])).values()];
}

function isFor({ platform }: LaidImage, wanted: string | undefined): boolean {
  return wanted === undefined || platform === undefined || platform === wanted || platform.startsWith(`${wanted}/`);
}

/** A layout in a folder; what is a link out of it is refused. */
export async function layoutFolder(folder: string): Promise<LayoutFiles> {
  const root = await realpath(folder);
  const inside = async (path: string): Promise<string> => {
    const real = await realpath(join(root, path)).catch((error: unknown) => {
      throw new ScanError('source_invalid', `${folder} names ${path}, but does not hold it`, { cause: error });
    });
    if (!real.startsWith(root + sep))
      throw new ScanError('source_invalid', `${path} in ${folder} leads out of the folder`);
    return real;
  };
  return {
    async read(path, limit) {
      const real = await inside(path);
      const { size } = await stat(real);
      if (size > limit)
        throw new ScanError('limit_exceeded', `${path} in ${folder} has ${size} bytes; at most ${limit} are read`);
      return readFile(real);
    },
    async locate(path) {
      return { path: await inside(path) };
    },
    close: () => Promise.resolve(),
  };
}

export function layoutArchive(archive: ArchiveIndex): LayoutFiles {
  return {
    read: async (path, limit) => archive.read(path, limit),
    locate: (path) => Promise.resolve(archive.locate(path)),
    close: () => archive.close(),
  };
}

function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}
