import type { Inventory } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { analyseLayer } from './analyse-layer.ts';
import { composeInventory } from './compose.ts';
import type { ImageSource, SourceLayer, SourceOptions } from './image-source.ts';
import { closedLayer } from './layers/closed.ts';
import type { StackedLayer } from './layers/tree.ts';
import type { LayerEvidence } from './model.ts';
import { analyseFolder } from './sources/folder.ts';
import { openLocalTarget } from './sources/open.ts';
import { unreadLayer } from './unread-layer.ts';

export interface AnalysedTarget {
  readonly name: string;
  readonly digest?: Digest;
  readonly inventory: Inventory;
}

/** Layers read at once: one is unpacked in a thread of its own while another is waited for. */
const AT_ONCE = 3;

/** Looks into every layer of an image and composes what is in it. The source is not closed. */
export async function analyseImage(source: ImageSource): Promise<AnalysedTarget> {
  const stack: StackedLayer[] = [];
  const todo = source.layers.entries();
  const work = async (): Promise<void> => {
    for (const [at, layer] of todo) {
      const { digest, createdBy } = layer;
      const named = digest === undefined ? {} : { digest };
      stack[at] = {
        ...named,
        ...(createdBy === undefined ? {} : { createdBy }),
        evidence: await evidenceOf(layer, named),
      };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const { name, digest } = source;
  return { name, ...(digest ? { digest } : {}), inventory: composeInventory(stack) };
}

async function evidenceOf(layer: SourceLayer, named: { readonly digest?: Digest }): Promise<LayerEvidence> {
  const why = closedLayer(layer.mediaType ?? '');
  if (why === undefined) return analyseLayer(await layer.open(), named);
  return unreadLayer('unsupported-layer', `layer ${named.digest ?? ''} could not be read: ${why}`, named.digest);
}

/** Analyses a path of this machine, see `openLocalTarget`; undefined when there is nothing of that name. */
export async function analyseLocalTarget(
  path: string,
  options: SourceOptions = {},
): Promise<AnalysedTarget | undefined> {
  const target = await openLocalTarget(path, options);
  if (!target) return undefined;
  if (target.kind === 'folder')
    return { name: path, inventory: composeInventory([{ evidence: await analyseFolder(path) }]) };
  try {
    return await analyseImage(target.source);
  } finally {
    await target.source.close();
  }
}
