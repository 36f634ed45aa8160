import type { AnalyserPool } from '../scanner/analyser.ts';
import { inventoryHash } from '../scanner/inventory-hash.ts';
import { ANALYSER_VERSION } from '../scanner/model.ts';
import type { LayerAnalyser } from './ports.ts';

/** The scanner as verdicts see it. */
export function createLayerAnalyser(workers: Pick<AnalyserPool, 'analyse' | 'compose'>): LayerAnalyser {
  return {
    version: ANALYSER_VERSION,
    analyse: ({ digest, path, open }) =>
      workers.analyse(path === undefined ? { kind: 'stream', digest, open } : { kind: 'file', digest, path }),
    compose: (layers) => workers.compose(layers),
    hashOf: inventoryHash,
  };
}
