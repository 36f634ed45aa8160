import type { Inventory } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { analyseLayer } from './analyse-layer.ts';
import { composeInventory } from './compose.ts';
import type { ImageSource, SourceOptions } from './image-source.ts';
import { analyseFolder } from './sources/folder.ts';
import { openLocalTarget } from './sources/open.ts';

export interface AnalysedTarget {
  readonly name: string;
  readonly digest?: Digest;
  readonly inventory: Inventory;
}

/** Looks into every layer of an image and composes what is in it. The source is not closed. */
export async function analyseImage(source: ImageSource): Promise<AnalysedTarget> {
  const layers = [];
  for (const layer of source.layers) {
    const named = layer.digest === undefined ? {} : { digest: layer.digest };
    layers.push({ ...named, evidence: await analyseLayer(await layer.open(), named) });
  }
  const { name, digest } = source;
  return { name, ...(digest ? { digest } : {}), inventory: composeInventory(layers) };
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
