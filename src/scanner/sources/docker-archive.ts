import { type Digest, tryParseDigest } from '../../oci/digest.ts';
import { messageOf } from '../../platform/errors.ts';
import { ScanError } from '../errors.ts';
import { type ImageConfig, readImageConfig, stepsOfLayers } from '../image-config.ts';
import type { ImageSource, SourceLayer, SourceOptions } from '../image-source.ts';
import type { ArchiveIndex } from './archive-index.ts';
import { imagesCalled, type NamedImage, nameOf, severalImages } from './image-names.ts';

const LARGEST_MANIFEST = 4 * 1024 * 1024;
const LARGEST_CONFIG = 16 * 1024 * 1024;
const MOST_IMAGES = 100;

interface SavedImage extends NamedImage {
  readonly platform: string;
  readonly layers: readonly string[];
  readonly config: ImageConfig;
}

/**
 * An archive of `docker save`. Throws `ScanError`: image_ambiguous when it holds several images and neither the asked name
 * nor the asked platform tells them apart, source_invalid when it holds none or lacks what it names.
 */
export function openDockerArchive(archive: ArchiveIndex, path: string, options: SourceOptions): ImageSource {
  const images: SavedImage[] = [];
  for (const { Config, RepoTags, Layers } of listedImages(archive, path)) {
    const config = readImageConfig(parseJson(archive.read(Config, LARGEST_CONFIG), path));
    if (!config) throw new ScanError('source_invalid', `${path}: ${Config} is not the configuration of an image`);
    const digest = digestIn(Config);
    const named = { names: RepoTags, ...(digest ? { digest } : {}) };
    images.push({ ...named, platform: config.platform, layers: Layers, config });
  }
  const image = choose(images, path, options);
  const steps = stepsOfLayers(image.config, image.layers.length);
  const layers = image.layers.map((name, at): SourceLayer => {
    if (!archive.has(name))
      throw new ScanError('source_invalid', `${path} names the layer ${name}, but does not hold it`);
    const digest = layerDigest(name, image.config.diffIds[at]);
    const createdBy = steps[at];
    return {
      ...(digest ? { digest } : {}),
      ...(createdBy === undefined ? {} : { createdBy }),
      open: () => Promise.resolve(archive.locate(name)),
    };
  });
  return { name: nameFor(image, options) ?? path, layers, close: () => archive.close() };
}

interface ListedImage {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

/** What manifest.json lists. Throws `ScanError('source_invalid')`. */
function listedImages(archive: ArchiveIndex, path: string): readonly ListedImage[] {
  const listed = parseJson(archive.read('manifest.json', LARGEST_MANIFEST), path);
  const images = Array.isArray(listed) ? listed.slice(0, MOST_IMAGES).map(listedImage) : [undefined];
  if (images.includes(undefined))
    throw new ScanError('source_invalid', `${path}: manifest.json is not that of a docker archive`);
  return images.flatMap((image) => image ?? []);
}

function listedImage(value: unknown): ListedImage | undefined {
  if (typeof value !== 'object' || value === null || !('Config' in value)) return undefined;
  const { Config, RepoTags, Layers } = value as Record<string, unknown>;
  const [tags, layers] = [textsOf(RepoTags), textsOf(Layers)];
  return typeof Config === 'string' && tags && layers ? { Config, RepoTags: tags, Layers: layers } : undefined;
}

/** A list of texts; empty for null, as docker writes it. */
function textsOf(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

function choose(images: readonly SavedImage[], path: string, { image: wanted, platform }: SourceOptions): SavedImage {
  if (images.length === 0) throw new ScanError('source_invalid', `${path} holds no image`);
  const called = imagesCalled(images, wanted, path);
  const fitting = called.filter(
    (image) => platform === undefined || image.platform === platform || image.platform.startsWith(`${platform}/`),
  );
  const [image] = fitting;
  if (image && fitting.length === 1) return image;
  if (fitting.length > 1) throw severalImages(fitting, path);
  const choices = called.map((one) => `${nameOf(one)} for ${one.platform}`).join(', ');
  throw new ScanError('image_ambiguous', `${path} has no ${platform}; it has ${choices}`);
}

/** The name it was asked for, where an image has several. */
function nameFor({ names }: SavedImage, { image: wanted }: SourceOptions): string | undefined {
  return names.find((name) => name === wanted) ?? names[0];
}

/** The id of an image: its configuration is named by it, in one form or the other. */
function digestIn(path: string): Digest | undefined {
  const hex = /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(path)?.[1];
  return hex === undefined ? undefined : tryParseDigest(`sha256:${hex}`);
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
