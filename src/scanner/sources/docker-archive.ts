import { z } from 'zod';
import { type Digest, tryParseDigest } from '../../oci/digest.ts';
import { messageOf } from '../../platform/errors.ts';
import { ScanError } from '../errors.ts';
import type { ImageSource, SourceLayer, SourceOptions } from '../image-source.ts';
import type { ArchiveIndex } from './archive-index.ts';

const LARGEST_MANIFEST = 4 * 1024 * 1024;
const LARGEST_CONFIG = 16 * 1024 * 1024;
const MOST_IMAGES = 100;

const manifestSchema = z.array(
  z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()).nullish() }),
);
const configSchema = z.object({
  os: z.string().optional(),
  architecture: z.string().optional(),
  variant: z.string().optional(),
  rootfs: z.object({ diff_ids: z.array(z.string()).nullish() }).optional(),
});

interface SavedImage {
  readonly name: string | undefined;
  readonly platform: string;
  readonly layers: readonly string[];
  readonly diffIds: readonly string[];
}

/**
 * An archive of `docker save`. Throws `ScanError`: image_ambiguous when it holds several images and the asked platform
 * does not tell them apart, source_invalid when it holds none or lacks what it names.
 */
export async function openDockerArchive(
  archive: ArchiveIndex,
  path: string,
  options: SourceOptions,
): Promise<ImageSource> {
  const listed = manifestSchema.safeParse(parseJson(await archive.read('manifest.json', LARGEST_MANIFEST), path));
  if (!listed.success) throw new ScanError('source_invalid', `${path}: manifest.json is not that of a docker archive`);
  const images: SavedImage[] = [];
  for (const { Config, RepoTags, Layers } of listed.data.slice(0, MOST_IMAGES)) {
    const config = configSchema.safeParse(parseJson(await archive.read(Config, LARGEST_CONFIG), path));
    if (!config.success)
      throw new ScanError('source_invalid', `${path}: ${Config} is not the configuration of an image`);
    const { os = 'linux', architecture = 'unknown', variant, rootfs } = config.data;
    const platform = [os, architecture, ...(variant ? [variant] : [])].join('/');
    images.push({ name: RepoTags?.[0], platform, layers: Layers ?? [], diffIds: rootfs?.diff_ids ?? [] });
  }
  const image = choose(images, path, options.platform);
  const layers = image.layers.map((name, at): SourceLayer => {
    if (!archive.has(name))
      throw new ScanError('source_invalid', `${path} names the layer ${name}, but does not hold it`);
    const digest = layerDigest(name, image.diffIds[at]);
    return { ...(digest ? { digest } : {}), open: () => Promise.resolve(archive.locate(name)) };
  });
  return { name: image.name ?? path, layers, close: () => archive.close() };
}

function choose(images: readonly SavedImage[], path: string, platform: string | undefined): SavedImage {
  if (images.length === 0) throw new ScanError('source_invalid', `${path} holds no image`);
  const fitting = images.filter(
    (image) => platform === undefined || image.platform === platform || image.platform.startsWith(`${platform}/`),
  );
  const [image] = fitting;
  if (image && fitting.length === 1) return image;
  const choices = images.map((one) => `${one.name ?? 'without a name'} for ${one.platform}`).join(', ');
  if (fitting.length === 0) throw new ScanError('image_ambiguous', `${path} has no ${platform}; it has ${choices}`);
  throw new ScanError(
    'image_ambiguous',
    `${path} holds ${images.length} images (${choices}); choose one with --platform, or save one image per archive`,
  );
}

/** Newer archives name layers by digest; older ones are known by the id of their content. */
function layerDigest(name: string, diffId: string | undefined): Digest | undefined {
  const blob = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name);
  return (blob && tryParseDigest(`${blob[1]}:${blob[2]}`)) || tryParseDigest(diffId ?? '');
}

function parseJson(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new ScanError('source_invalid', `${path} holds damaged JSON: ${messageOf(error)}`, { cause: error });
  }
}
