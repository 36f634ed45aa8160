import { SYSTEM_PACKAGE_TYPES } from '../../../model/inventory.ts';
import { readSbom } from '../../sbom-read/read-sbom.ts';
import type { Cataloger, Found } from '../types.ts';

/** Bitnami's own, `opt/bitnami/redis/.spdx-redis.spdx`. */
const BITNAMI = /(?:^|\/)opt\/bitnami\/(?:[^/]+\/)*\.spdx-[^/]+\.spdx$/;
/** By the endings that SPDX and CycloneDX recommend. */
const NAMED = /\.(?:spdx|spdx\.json|cdx\.json|cdx\.xml)$/;
/** `bom.json` and the like: only where images keep such documents, as any program may have a file of that name. */
const PLACED =
  /^(?:usr\/(?:local\/)?share\/(?:sbom|sboms)\/[^/]+\.(?:json|xml)|(?:sbom\/|usr\/share\/doc\/[^/]+\/)?(?:bom|sbom)\.(?:json|xml))$|(?:^|\/)META-INF\/sbom\/[^/]+\.json$/;

/**
 * Bills of materials that are in an image: what they state beyond packages of the system, which its database tells better.
 * Counts as evidence like any other; a document that nobody can read is a gap.
 */
export const sbomCataloger: Cataloger = {
  name: 'sbom',
  role: 'language',
  largest: 64 * 1024 * 1024,
  wants: (path) => NAMED.test(path) || BITNAMI.test(path) || PLACED.test(path),
  catalog(_path, file): Found {
    const sbom = readSbom(file.bytes());
    if ('refused' in sbom) return { packages: [], problems: [`no bill of materials that is read: ${sbom.refused}`] };
    const packages = sbom.packages
      .filter(({ type, version }) => !SYSTEM_PACKAGE_TYPES.has(type) && version !== '')
      .map(({ path: _inner, layer: _layer, ...stated }) => stated);
    return sbom.problems.length === 0 ? { packages } : { packages, problems: sbom.problems };
  },
};
