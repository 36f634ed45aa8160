import type { AnalyserPool } from '../scanner/analyser.ts';
import { inventoryHash } from '../scanner/inventory-hash.ts';
import { ANALYSER_VERSION } from '../scanner/model.ts';
import type { LayerAnalyser } from './ports.ts';

/** The scanner as verdicts see it. */
export function createLayerAnalyser(workers: Pick<AnalyserPool, 'analyse' | 'compose'>): LayerAnalyser {
  return {
    version: ANALYSER_VERSION,
    analyse: (blob) =>
      workers.analyse(
        blob.path === undefined
          ? { kind: 'stream', digest: blob.digest, open: () => blob.open() }
          : { kind: 'file', digest: blob.digest, path: blob.path },
      ),
    compose: (layers) => workers.compose(layers),
    hashOf: inventoryHash,
  };
}
