import type { CoverageGap } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import { ANALYSER_VERSION, type LayerEvidence } from './model.ts';

/** The evidence of a layer that was not looked into, with the reason. */
export function unreadLayer(kind: CoverageGap['kind'], message: string, digest: Digest | undefined): LayerEvidence {
  const gap: CoverageGap = { kind, ...(digest ? { layer: digest } : {}), message };
  return { analyser: ANALYSER_VERSION, entries: '', files: [], removed: [], opaque: [], gaps: [gap], complete: false };
}
