import type { Inventory } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { unreadImage } from '../scanner/unread-layer.ts';
import type { LayerAnalyses } from './layer-analyses.ts';
import type { LayerAnalyser } from './ports.ts';

/** Bytes of packed evidence that are held for one image. */
const MOST_HELD = 64 * 1024 * 1024;

/**
 * What an image of these stored layers, lowest first, would hold, and which of them were not read to their end, or are no layers at all.
 * Throws `VerdictError` layer_absent, layer_unreadable.
 */
export async function stackLayers(
  deps: { readonly analyser: LayerAnalyser; readonly layers: LayerAnalyses },
  blobs: readonly { readonly digest: Digest; readonly size: number }[],
): Promise<{ readonly inventory: Inventory; readonly partial: readonly Digest[] }> {
  let held = 0;
  const partial: Digest[] = [];
  const stack = await Promise.all(
    blobs.map(async ({ digest, size }) => {
      const evidence = await deps.layers.evidenceOf({ digest, size });
      held += evidence.bytes.byteLength;
      if (!evidence.complete) partial.push(digest);
      // Once it is too much, nothing more of it is kept.
      return held > MOST_HELD ? [] : [{ digest, evidence }];
    }),
  );
  const inventory =
    held > MOST_HELD
      ? unreadImage(`the names in its layers are too many: packed they have ${held} bytes, more than ${MOST_HELD}`)
      : await deps.analyser.compose(stack.flat());
  return { inventory, partial: blobs.map(({ digest }) => digest).filter((digest) => partial.includes(digest)) };
}
