import type { Distribution, PackageType } from '../../model/inventory.ts';

/** Where the advisories of a distribution release are filed. */
export interface Release {
  readonly type: PackageType;
  /** OSV's name of it. */
  readonly ecosystem: string;
  /** Its products: ecosystems that begin with `under` and match. */
  readonly products?: readonly { readonly under: string; readonly matches: RegExp }[];
  /** Further ecosystems for packages of this version. */
  readonly variants?: (version: string) => readonly string[];
}

/** Where to look for advisories of a distribution; undefined for one that no source covers. */
export function releaseOf(distribution: Distribution | undefined): Release | undefined {
  if (distribution === undefined) return undefined;
  const { id, idLike } = distribution;
  const known = DISTRIBUTIONS.get(id);
  if (known) return known(distribution);
  if (/^(?:opensuse|sle|sl-|suse)/.test(id)) return suse(distribution);
  if (id.startsWith('bellsoft')) return numbered('apk', 'BellSoft Hardened Containers')(distribution);
  return idLike.includes('ubuntu') ? derivedFromUbuntu(distribution) : undefined;
}

type Find = (distribution: Distribution) => Release | undefined;

const DISTRIBUTIONS: ReadonlyMap<string, Find> = new Map<string, Find>([
  ['almalinux', major('rpm', 'AlmaLinux')],
  ['alpaquita', numbered('apk', 'Alpaquita')],
  ['alpine', alpine],
  // Stream gets the packages of Red Hat's next minor release, plain CentOS those of the present one.
  ['centos', redHat],
  ['chainguard', rolling('Chainguard')],
  ['debian', debian],
  ['linuxmint', derivedFromUbuntu],
  ['mageia', major('rpm', 'Mageia')],
  ['minimos', rolling('MinimOS')],
  ['openeuler', openEuler],
  ['photon', numbered('rpm', 'Photon OS')],
  // Debian's packages, built again for another processor.
  ['raspbian', debian],
  ['rhel', redHat],
  ['rocky', major('rpm', 'Rocky Linux')],
  ['ubuntu', ({ version }) => ubuntu(version)],
  ['wolfi', rolling('Wolfi')],
]);

function rolling(ecosystem: string): Find {
  return () => ({ type: 'apk', ecosystem });
}

function numbered(type: PackageType, base: string): Find {
  return ({ version }) => (version ? { type, ecosystem: `${base}:${version}` } : undefined);
}

function major(type: PackageType, base: string): Find {
  return (distribution) => {
    const number = majorOf(distribution);
    return number === undefined ? undefined : { type, ecosystem: `${base}:${number}` };
  };
}

function majorOf({ version = '' }: Distribution): string | undefined {
  return /^(\d+)(?:\.|$)/.exec(version)?.[1];
}

function alpine({ version = '', rolling: edge }: Distribution): Release | undefined {
  if (edge || /_alpha|^edge$/.test(version)) return { type: 'apk', ecosystem: 'Alpine:edge' };
  const branch = /^(\d+\.\d+)(?:[._]|$)/.exec(version)?.[1];
  return branch === undefined ? undefined : { type: 'apk', ecosystem: `Alpine:v${branch}` };
}

function debian(distribution: Distribution): Release | undefined {
  const release = distribution.rolling ? undefined : majorOf(distribution);
  return release === undefined ? undefined : { type: 'deb', ecosystem: `Debian:${release}` };
}

/** Fixes of Ubuntu Pro concern packages that come from it, which their versions tell. */
function ubuntu(version: string | undefined): Release | undefined {
  const [, year, month] = /^(\d{1,2})\.(\d{2})(?:\.|$)/.exec(version ?? '') ?? [];
  if (year === undefined || month === undefined) return undefined;
  const longTerm = (Number(year) % 2 === 0 && month === '04') || `${year}.${month}` === '6.06';
  const release = `${year}.${month}${longTerm ? ':LTS' : ''}`;
  return {
    type: 'deb',
    ecosystem: `Ubuntu:${release}`,
    variants: (installed) => (isProVersion(installed) ? [`Ubuntu:Pro:${release}`] : []),
  };
}

/** True for a version that only Ubuntu Pro gives out, `1.0-1ubuntu1+esm2`. */
export function isProVersion(version: string): boolean {
  return /[~+.]esm\d*/.test(version);
}

/** Ubuntu's releases by the codename that systems built on them keep (UBUNTU_CODENAME, VERSION_CODENAME). */
const UBUNTU_CODENAMES: ReadonlyMap<string, string> = new Map([
  ['trusty', '14.04'],
  ['xenial', '16.04'],
  ['bionic', '18.04'],
  ['focal', '20.04'],
  ['jammy', '22.04'],
  ['kinetic', '22.10'],
  ['lunar', '23.04'],
  ['mantic', '23.10'],
  ['noble', '24.04'],
  ['oracular', '24.10'],
  ['plucky', '25.04'],
  ['questing', '25.10'],
  ['resolute', '26.04'],
]);
/** Linux Mint has codenames of its own; each of its major versions stands on one long-term release. */
const MINT: ReadonlyMap<string, string> = new Map([
  ['17', '14.04'],
  ['18', '16.04'],
  ['19', '18.04'],
  ['20', '20.04'],
  ['21', '22.04'],
  ['22', '24.04'],
]);

function derivedFromUbuntu(distribution: Distribution): Release | undefined {
  const { id, idLike, codename } = distribution;
  const byCodename = UBUNTU_CODENAMES.get(codename ?? '');
  // The Debian edition of Mint says so.
  const byNumber = id === 'linuxmint' && idLike.includes('ubuntu') ? MINT.get(majorOf(distribution) ?? '') : undefined;
  return ubuntu(byCodename ?? byNumber);
}

/**
 * Red Hat files under CPEs: the major release and its repositories (`enterprise_linux:9::appstream`), from release 10 on with
 * the minor release. Extended support streams are sold apart and are not taken.
 */
function redHat(distribution: Distribution): Release | undefined {
  const number = majorOf(distribution);
  if (number === undefined) return undefined;
  const ecosystem = `Red Hat:enterprise_linux:${number}`;
  const matches = new RegExp(`^${ecosystem}(?:\\.\\d+)?(?::|$)`);
  return { type: 'rpm', ecosystem, products: [{ under: ecosystem, matches }] };
}

/** SUSE files under PRETTY_NAME, and what its server products share under modules of the same service pack. */
function suse({ prettyName = '' }: Distribution): Release | undefined {
  const [, vendor, product] = /^(SUSE|openSUSE) (\S.*)$/.exec(prettyName) ?? [];
  if (vendor === undefined || product === undefined) return undefined;
  const ecosystem = `${vendor}:${product}`;
  const pack = /^Linux Enterprise (?:Server|Desktop|High Performance Computing)\b.* (\d+(?: SP\d+)?)$/.exec(
    product,
  )?.[1];
  if (vendor !== 'SUSE' || pack === undefined) return { type: 'rpm', ecosystem };
  const matches = new RegExp(`^SUSE:Linux Enterprise Module for .* ${pack}$`);
  return { type: 'rpm', ecosystem, products: [{ under: 'SUSE:Linux Enterprise Module for ', matches }] };
}

/** `openEuler 22.03 (LTS-SP1)` is `openEuler:22.03-LTS-SP1`. */
function openEuler({ prettyName = '' }: Distribution): Release | undefined {
  const [, number, pack] = /^openEuler (\d+\.\d+)(?: \((LTS(?:-SP\d+)?)\))?$/i.exec(prettyName) ?? [];
  if (number === undefined) return undefined;
  return { type: 'rpm', ecosystem: `openEuler:${number}${pack === undefined ? '' : `-${pack}`}` };
}
