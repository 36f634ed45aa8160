import { ecosystemOfCpe, type RpmPackage, rpmPackageOf } from './rpm-product.ts';
import type { Product, Relationship } from './schema.ts';

/** More products than the largest real document has by a factor of ten; what comes after is not resolved. */
const MAX_PRODUCTS = 3_000_000;
const MAX_CHAIN = 4;

/** An rpm package as part of a product stream. */
export interface StreamPackage extends RpmPackage {
  readonly ecosystem: string;
}

/** The products of a document, as far as they are rpm packages of Red Hat's product streams. */
export interface ProductTree {
  addProduct(product: Product): void;
  addRelationship(relationship: Relationship): void;
  /** The package an id stands for; one object for all ids that mean the same. */
  resolve(id: string): StreamPackage | undefined;
}

/** Collects a product tree. Memory: the ids and what is different in them. */
export function createProductTree(): ProductTree {
  const streams = new Map<string, string>();
  const packages = new Map<string, RpmPackage>();
  const parts = new Map<string, StreamPackage>();
  const unresolved = new Map<string, readonly [string, string]>();
  let count = 0;

  function combine(reference: string, relatesTo: string, depth = 0): StreamPackage | undefined {
    if (depth > MAX_CHAIN) return undefined;
    const pkg = packages.get(reference);
    const stream = streams.get(relatesTo);
    if (stream !== undefined) return pkg && { ...pkg, ecosystem: stream };
    // A package of a module that is itself a part of the stream.
    const module = unresolved.get(relatesTo);
    const outer = module && streams.get(module[1]);
    if (module === undefined || pkg === undefined) return undefined;
    if (outer === undefined) return combine(reference, module[1], depth + 1);
    const name = /^([^:/]+:[^:/]+)/.exec(module[0])?.[1];
    return { ...pkg, ecosystem: outer, ...(name === undefined || pkg.module !== undefined ? {} : { module: name }) };
  }

  return {
    addProduct({ product_id: id, product_identification_helper: helper }) {
      count += 1;
      if (count > MAX_PRODUCTS) return;
      const stream = ecosystemOfCpe(helper?.cpe ?? undefined);
      if (stream !== undefined) streams.set(own(id), stream);
      else {
        const pkg = rpmPackageOf(own(id), helper?.purl ?? undefined);
        if (pkg !== undefined) packages.set(own(id), pkg);
      }
    },
    addRelationship({
      full_product_name: { product_id: id },
      product_reference: part,
      relates_to_product_reference: of,
    }) {
      count += 1;
      if (count > MAX_PRODUCTS) return;
      const known = combine(part, of);
      if (known === undefined) unresolved.set(own(id), [own(part), own(of)]);
      else parts.set(own(id), known);
    },
    resolve(id) {
      const known = parts.get(id);
      if (known !== undefined) return known;
      const relation = unresolved.get(id);
      const found = relation && combine(relation[0], relation[1]);
      if (found !== undefined) parts.set(own(id), found);
      return found;
    },
  };
}

/** A copy that does not keep the text alive which it was cut out of. */
function own(text: string): string {
  return Buffer.from(text).toString();
}
