import { composeInventory } from '../scanner/compose.ts';
import { inventoryHash } from '../scanner/inventory-hash.ts';
import { ANALYSER_VERSION, type LayerEvidence } from '../scanner/model.ts';
import type { LayerAnalyser, LayerBlob } from './ports.ts';

/** The scanner as verdicts see it. `analyse` reads one layer, in a worker or, in tests, right here. */
export function createLayerAnalyser(
  analyse: (blob: LayerBlob) => Promise<LayerEvidence>,
): LayerAnalyser<LayerEvidence> {
  return {
    version: ANALYSER_VERSION,
    analyse,
    isComplete: (evidence) => evidence.complete,
    compose: composeInventory,
    hashOf: inventoryHash,
  };
}
