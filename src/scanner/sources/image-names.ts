import { type Digest, hexOf } from '../../oci/digest.ts';
import { ImageReferenceError, parseReference } from '../../oci/reference.ts';
import { ScanError } from '../errors.ts';

/** One image of an archive or layout, by what it can be called. */
export interface NamedImage {
  /** References, or tags alone where that is all there is; the fullest first. */
  readonly names: readonly string[];
  /** Of its manifest, else of its configuration. */
  readonly digest?: Digest;
  readonly platform?: string;
}

const SHORTEST_HEX = 12;
const MOST_LISTED = 50;

/**
 * The images that are called so, or all when none is asked for: those for several platforms share their names. Throws
 * `image_ambiguous` with the choices when none is called so.
 */
export function imagesCalled<Image extends NamedImage>(
  images: readonly Image[],
  wanted: string | undefined,
  path: string,
): readonly Image[] {
  if (wanted === undefined) return images;
  const called = images.filter((image) => isCalled(image, wanted));
  if (called.length > 0) return called;
  throw new ScanError('image_ambiguous', `${path} has no image ${wanted}; it has ${listOf(images)}`);
}

/** What to say when several images are left. */
export function severalImages(images: readonly NamedImage[], path: string): ScanError {
  const names = new Set(images.map(nameOf));
  const option = names.size > 1 ? '--image, by name or digest' : '--platform';
  return new ScanError(
    'image_ambiguous',
    `${path} holds ${images.length} images (${listOf(images)}); choose one with ${option}`,
  );
}

/** Name of an image in messages; the digest tells apart those without one. */
export function nameOf({ names, digest }: NamedImage): string {
  return names[0] ?? digest ?? 'without a name';
}

function listOf(images: readonly NamedImage[]): string {
  const listed = images
    .slice(0, MOST_LISTED)
    .map((image) => `${nameOf(image)}${image.platform === undefined ? '' : ` for ${image.platform}`}`);
  return [...listed, ...(images.length > MOST_LISTED ? ['…'] : [])].join(', ');
}

/** By any of its names, however they are written, or by its digest or the beginning of it. */
function isCalled({ names, digest }: NamedImage, wanted: string): boolean {
  if (names.includes(wanted)) return true;
  const hex = wanted.replace(/^sha(?:256|512):/, '');
  if (digest !== undefined && hex.length >= SHORTEST_HEX && hexOf(digest).startsWith(hex)) return true;
  const reference = normalised(wanted);
  return reference !== undefined && names.some((name) => normalised(name) === reference);
}

function normalised(text: string): string | undefined {
  try {
    const { registry, repository, tag, digest } = parseReference(text);
    return `${registry}/${repository}${digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`}`;
  } catch (error) {
    if (error instanceof ImageReferenceError) return undefined;
    throw error;
  }
}
