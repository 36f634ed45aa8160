import type { Descriptor, ParsedManifest } from '../../oci/manifest.ts';
import { ScanError } from '../errors.ts';

const DEEPEST = 4;
const DEFAULT_PLATFORM = 'linux/amd64';

/**
 * Follows an index down to one image: the asked platform, else the only runnable one, else this product's default. Throws
 * `image_ambiguous` with the choices, `source_invalid` when there is nothing to choose, or only a chart, signature or the like.
 */
export async function chooseImage(
  start: { readonly manifest: ParsedManifest; readonly what: string },
  load: (descriptor: Descriptor) => Promise<ParsedManifest>,
  platform: string | undefined,
): Promise<{ readonly manifest: ParsedManifest; readonly descriptor?: Descriptor }> {
  let { manifest } = start;
  let descriptor: Descriptor | undefined;
  for (let depth = 0; manifest.kind === 'index'; depth += 1) {
    if (depth >= DEEPEST)
      throw new ScanError('source_invalid', `${start.what} nests indexes more than ${DEEPEST} deep`);
    descriptor = choose(manifest, start.what, platform);
    manifest = await load(descriptor);
  }
  if (manifest.kind !== 'image') {
    const type = manifest.artifactType ?? manifest.mediaType;
    throw new ScanError('source_invalid', `${start.what} is no image that runs, but ${type}: there is nothing to scan`);
  }
  return descriptor ? { manifest, descriptor } : { manifest };
}

function choose(index: ParsedManifest, what: string, platform: string | undefined): Descriptor {
  const runnable = index.children.filter((child) => child.platform !== 'unknown/unknown');
  const [only] = runnable;
  if (!only) throw new ScanError('source_invalid', `${what} lists no image`);
  if (platform !== undefined) {
    const asked = runnable.find((child) => child.platform === platform || child.platform?.startsWith(`${platform}/`));
    if (asked) return asked;
    throw new ScanError('image_ambiguous', `${what} has no ${platform}; it has ${platformsOf(runnable)}`);
  }
  if (runnable.length === 1) return only;
  const usual = runnable.filter((child) => child.platform === DEFAULT_PLATFORM);
  if (usual.length === 1 && usual[0]) return usual[0];
  throw new ScanError(
    'image_ambiguous',
    `${what} holds ${runnable.length} images (${platformsOf(runnable)}); choose one with --platform`,
  );
}

function platformsOf(children: ParsedManifest['children']): string {
  return children.map((child) => child.platform ?? child.digest).join(', ');
}
