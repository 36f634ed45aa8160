/** An rpm package as a product tree names it. */
export interface RpmPackage {
  readonly name: string;
  /** `epoch:version-release`; absent for "the package, whatever version". */
  readonly evr?: string;
  /** `src` for a source package. */
  readonly arch?: string;
  /** Module stream, `ruby:2.5`. */
  readonly module?: string;
}

const NAME = /^[A-Za-z0-9_][\w.+-]{0,199}$/;
const PURL = /^pkg:rpm\/(?:[^/@?#]+\/)?([^/@?#]+)(?:@([^?#]+))?(?:\?([^#]*))?/;
const NEVRA = /^(.{1,200})-(\d{1,9}):([^\s:-]{1,200})-([^\s:-]{1,200})\.([a-z0-9_]{1,20})$/;
const MODULE_PACKAGE = /^([\w.+-]{1,100}:[\w.+-]{1,100})\/([^/]{1,250})$/;

/**
 * The rpm package of a product: by its package URL, else by its id (`name`, `name.src`, `name-epoch:version-release.arch`, each
 * also after `module:stream/`). undefined for what is no rpm package: images, other kinds of archives.
 */
export function rpmPackageOf(id: string, purl: string | undefined): RpmPackage | undefined {
  const [, module, rest = id] = MODULE_PACKAGE.exec(id) ?? [];
  const found = purl === undefined ? ofId(rest) : ofPurl(purl);
  if (found === undefined || !NAME.test(found.name)) return undefined;
  return module === undefined || found.module !== undefined ? found : { ...found, module };
}

function ofPurl(purl: string): RpmPackage | undefined {
  const [, name = '', version, query = ''] = PURL.exec(purl) ?? [];
  if (name === '') return undefined;
  const qualifiers = new URLSearchParams(query.replaceAll('+', '%2B'));
  const arch = qualifiers.get('arch');
  const module = /^([^:]+:[^:]+)/.exec(qualifiers.get('rpmmod') ?? '')?.[1];
  const decoded = version === undefined ? undefined : decode(version);
  return {
    name: decode(name),
    ...(decoded === undefined ? {} : { evr: `${qualifiers.get('epoch') ?? '0'}:${decoded}` }),
    ...(arch === null ? {} : { arch }),
    ...(module === undefined ? {} : { module }),
  };
}

function ofId(id: string): RpmPackage | undefined {
  const nevra = NEVRA.exec(id);
  if (nevra !== null) {
    const [, name = '', epoch = '', version = '', release = '', arch = ''] = nevra;
    return { name, evr: `${epoch}:${version}-${release}`, arch };
  }
  if (id.endsWith('.src')) return { name: id.slice(0, -4), arch: 'src' };
  return { name: id };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** OSV's name of the product stream of a CPE of Red Hat: `cpe:/a:redhat:enterprise_linux:9::appstream`. */
export function ecosystemOfCpe(cpe: string | undefined): string | undefined {
  const product = /^cpe:\/[ao]:redhat:([\w:.~-]{1,200})$/.exec(cpe ?? '')?.[1]?.replace(/:+$/, '');
  return product === undefined || product === '' ? undefined : `Red Hat:${product}`;
}
