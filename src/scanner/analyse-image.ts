import type { Inventory } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { analyseLayer } from './analyse-layer.ts';
import { composeInventory } from './compose.ts';
import type { ImageSource, SourceOptions } from './image-source.ts';
import type { StackedLayer } from './layers/tree.ts';
import { analyseFolder } from './sources/folder.ts';
import { openLocalTarget } from './sources/open.ts';

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
      const named = layer.digest === undefined ? {} : { digest: layer.digest };
      stack[at] = { ...named, evidence: await analyseLayer(await layer.open(), named) };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const { name, digest } = source;
  return { name, ...(digest ? { digest } : {}), inventory: composeInventory(stack) };
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
