import type { ReportedLayer, ScanReport } from './report.ts';

/** A layer by the number people count it with: 1 is the lowest. */
export interface NumberedLayer extends ReportedLayer {
  readonly number: number;
}

/**
 * Layers by digest. Where the build steps are not known, the layers that packages name are counted in the order they are met.
 * A digest that comes twice (two equal layers) has its lowest number.
 */
export function numberedLayers({ layers, packages }: Pick<ScanReport, 'layers' | 'packages'>) {
  const listed: readonly ReportedLayer[] =
    layers ?? [...new Set(packages.flatMap(({ layer }) => layer ?? []))].map((digest) => ({ digest }));
  const byDigest = new Map<string, NumberedLayer>();
  for (const [at, layer] of listed.entries())
    if (layer.digest !== undefined && !byDigest.has(layer.digest))
      byDigest.set(layer.digest, { ...layer, number: at + 1 });
  return byDigest as ReadonlyMap<string, NumberedLayer>;
}
