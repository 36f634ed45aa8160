import { createHash } from 'node:crypto';
import type { Inventory, Package } from '../../model/inventory.ts';
import type { Digest } from '../../oci/digest.ts';

/** Where a package was found. */
export interface Place {
  readonly path: string;
  readonly layer?: Digest;
  /** The build step that made the layer. */
  readonly step?: string;
}

/** A package as a document lists it: once, however many copies there are. */
export interface ListedPackage {
  /** Hexadecimal, unique in the document and the same in every document. */
  readonly key: string;
  readonly pkg: Package;
  /** With the source package as the qualifier `upstream`, as other programs write and read it. */
  readonly purl: string;
  readonly places: readonly Place[];
}

/** The packages of an inventory in its order, copies put together. */
export function listedPackages({ packages, layers = [] }: Inventory): readonly ListedPackage[] {
  const steps = new Map(layers.map(({ digest, createdBy }) => [digest, createdBy]));
  const groups = Map.groupBy(packages, identityOf);
  return [...groups.entries()].flatMap(([identity, [first, ...others]]) => {
    if (!first) return [];
    const licence = [first, ...others].find((pkg) => pkg.licence !== undefined)?.licence;
    return {
      key: createHash('sha256').update(identity).digest('hex').slice(0, 16),
      pkg: { ...first, ...(licence === undefined ? {} : { licence }) },
      purl: withUpstream(first),
      places: [first, ...others].map(({ path, layer }) => placeOf(path, layer, steps.get(layer))),
    };
  });
}

/** Key of a package by which findings lead to what is listed. */
export function identityOf({ type, name, version, purl, arch, source, module, thirdParty }: Package): string {
  const facts = [type, name, version, purl, arch, source?.name, source?.version, module, thirdParty];
  return JSON.stringify(facts.map((fact) => (typeof fact === 'string' ? fact.toWellFormed() : (fact ?? null))));
}

function placeOf(path: string, layer: Digest | undefined, step: string | undefined): Place {
  return { path, ...(layer === undefined ? {} : { layer }), ...(step === undefined ? {} : { step }) };
}

function withUpstream({ type, purl, version, source }: Package): string {
  if (source === undefined || purl === '') return purl;
  const upstream = type === 'rpm' ? sourceFile(source) : sourceName(source, version);
  // After every qualifier an inventory's own package URLs have, which are in order.
  return `${purl}${purl.includes('?') ? '&' : '?'}upstream=${encodeURIComponent(upstream.toWellFormed())}`;
}

type Source = NonNullable<Package['source']>;

function sourceName({ name, version }: Source, built: string): string {
  return version === '' || version === built ? name : `${name}@${version}`;
}

/** As rpm names it, without the epoch. */
function sourceFile({ name, version }: Source): string {
  return `${name}-${version.replace(/^\d+:/, '')}.src.rpm`;
}
