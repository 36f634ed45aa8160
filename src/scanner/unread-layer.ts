import type { CoverageGap, Inventory } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { ANALYSER_VERSION, type LayerEvidence } from './model.ts';

/** The evidence of a layer that was not looked into, with the reason. */
export function unreadLayer(kind: CoverageGap['kind'], message: string, digest: Digest | undefined): LayerEvidence {
  const gap: CoverageGap = { kind, ...(digest ? { layer: digest } : {}), message };
  return { analyser: ANALYSER_VERSION, entries: '', files: [], removed: [], opaque: [], gaps: [gap], complete: false };
}

/** The inventory of an image of which nothing is known, with the reason. */
export function unreadImage(message: string): Inventory {
  return { analyser: ANALYSER_VERSION, packages: [], gaps: [{ kind: 'limit', message }], complete: false };
}
