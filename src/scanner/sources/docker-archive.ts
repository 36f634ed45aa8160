import { z } from 'zod';
import { type Digest, tryParseDigest } from '../../oci/digest.ts';
import { messageOf } from '../../platform/errors.ts';
import { ScanError } from '../errors.ts';
import type { ImageSource, SourceLayer } from '../image-source.ts';
import type { ArchiveIndex } from './archive-index.ts';

const LARGEST_MANIFEST = 4 * 1024 * 1024;
const LARGEST_CONFIG = 16 * 1024 * 1024;

const manifestSchema = z.array(
  z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()).nullish() }),
);
const configSchema = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()).nullish() }).optional() });

/** An archive of `docker save`. Several images in it need `image`, one of their tags. Throws `ScanError`. */
export async function openDockerArchive(archive: ArchiveIndex, path: string): Promise<ImageSource> {
  const images = manifestSchema.safeParse(parseJson(await archive.read('manifest.json', LARGEST_MANIFEST), path));
  if (!images.success) throw new ScanError('source_invalid', `${path}: manifest.json is not that of a docker archive`);
  const [image, another] = images.data;
  if (!image) throw new ScanError('source_invalid', `${path} holds no image`);
  if (another) {
    const names = images.data.map(({ RepoTags, Config }) => RepoTags?.[0] ?? Config);
    throw new ScanError(
      'image_ambiguous',
      `${path} holds ${names.length} images (${names.join(', ')}); save one image per archive`,
    );
  }
  const config = configSchema.safeParse(parseJson(await archive.read(image.Config, LARGEST_CONFIG), path));
  const diffIds = config.data?.rootfs?.diff_ids ?? [];
  const layers = (image.Layers ?? []).map((name, at): SourceLayer => {
    const digest = layerDigest(name, diffIds[at]);
    return { ...(digest ? { digest } : {}), open: () => Promise.resolve(archive.open(name)) };
  });
  for (const name of image.Layers ?? [])
    if (!archive.has(name))
      throw new ScanError('source_invalid', `${path} names the layer ${name}, but does not hold it`);
  return { name: image.RepoTags?.[0] ?? path, layers, close: () => archive.close() };
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
