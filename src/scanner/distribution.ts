import type { Distribution } from '../model/inventory.ts';
import { fromReleaseLine, fromSuseRelease } from './distribution-release-files.ts';

/** Texts of the files that say which system this is, as far as they are there. */
export interface SystemTexts {
  readonly osRelease?: string;
  readonly alpineRelease?: string;
  readonly debianVersion?: string;
  /** Assignments of DISTRIB_ID, DISTRIB_RELEASE and DISTRIB_CODENAME. */
  readonly lsbRelease?: string;
  /** `CentOS release 6.10 (Final)`, of the relatives of Red Hat. */
  readonly releaseLine?: string;
  readonly suseRelease?: string;
  /** Empty: that it is there says it all. */
  readonly archRelease?: string;
}

/** Debian's releases by codename: testing and unstable have no VERSION_ID, and older minimal images only a codename. */
const DEBIAN_CODENAMES: Readonly<Record<string, string>> = {
  wheezy: '7',
  jessie: '8',
  stretch: '9',
  buster: '10',
  bullseye: '11',
  bookworm: '12',
  trixie: '13',
  forky: '14',
};
/** Distributions without releases, by their ID. */
const ROLLING: ReadonlySet<string> = new Set([
  'aosc',
  'arch',
  'archarm',
  'artix',
  'cachyos',
  'chainguard',
  'endeavouros',
  'garuda',
  'gentoo',
  'kali',
  'manjaro',
  'manjaro-arm',
  'minimos',
  'opensuse-slowroll',
  'opensuse-tumbleweed',
  'solus',
  'void',
  'wolfi',
]);
const LONGEST_VALUE = 256;

/** Which system an image holds; undefined when nothing says so. */
export function distributionOf(texts: SystemTexts): Distribution | undefined {
  if (texts.osRelease !== undefined) {
    const fields = parseOsRelease(texts.osRelease);
    const id = fields.get('ID')?.toLowerCase();
    if (id) return fromOsRelease(id, fields, texts);
  }
  if (texts.alpineRelease !== undefined) return alpine(texts.alpineRelease.trim());
  return (
    // Ubuntu has a debian_version too, with the name of the Debian it was made from.
    fromLsbRelease(texts.lsbRelease) ??
    (texts.debianVersion === undefined ? undefined : debian(texts.debianVersion.trim())) ??
    (texts.releaseLine === undefined ? undefined : fromReleaseLine(texts.releaseLine)) ??
    (texts.suseRelease === undefined ? undefined : fromSuseRelease(texts.suseRelease)) ??
    (texts.archRelease === undefined ? undefined : { id: 'arch', idLike: [], rolling: true })
  );
}

function fromLsbRelease(text: string | undefined): Distribution | undefined {
  const fields = parseOsRelease(text ?? '');
  const id = fields.get('DISTRIB_ID')?.toLowerCase();
  if (!id) return undefined;
  const version = fields.get('DISTRIB_RELEASE');
  const codename = fields.get('DISTRIB_CODENAME');
  const prettyName = fields.get('DISTRIB_DESCRIPTION');
  return {
    id,
    ...(version ? { version } : {}),
    ...(codename ? { codename } : {}),
    idLike: [],
    ...(prettyName ? { prettyName } : {}),
    rolling: ROLLING.has(id),
  };
}

function fromOsRelease(id: string, fields: ReadonlyMap<string, string>, texts: SystemTexts): Distribution {
  const codename = fields.get('VERSION_CODENAME') ?? codenameIn(fields.get('PRETTY_NAME'));
  const version = fields.get('VERSION_ID') ?? versionByCodename(id, codename, texts.debianVersion);
  const prettyName = fields.get('PRETTY_NAME');
  return {
    id,
    ...(version ? { version } : {}),
    ...(codename ? { codename } : {}),
    idLike: (fields.get('ID_LIKE') ?? '').toLowerCase().split(/\s+/).filter(Boolean),
    ...(prettyName ? { prettyName } : {}),
    rolling: isRolling(id, version, prettyName, texts.debianVersion) || isRawhide(id, fields),
  };
}

/** Fedora in the making has the number of the release it will become. */
function isRawhide(id: string, fields: ReadonlyMap<string, string>): boolean {
  return id === 'fedora' && fields.get('REDHAT_BUGZILLA_PRODUCT_VERSION') === 'rawhide';
}

function alpine(version: string): Distribution {
  return {
    id: 'alpine',
    ...(version ? { version: version.slice(0, LONGEST_VALUE) } : {}),
    idLike: [],
    rolling: isRolling('alpine', version, undefined, undefined),
  };
}

function debian(text: string): Distribution {
  const codename = text.split('/', 1)[0] ?? '';
  const version = /^\d/.test(text) ? text.split('.', 1)[0] : DEBIAN_CODENAMES[codename];
  return { id: 'debian', ...(version ? { version } : {}), idLike: [], rolling: text.endsWith('/sid') };
}

/** Systems that have no fixed release to compare with. */
function isRolling(
  id: string,
  version: string | undefined,
  prettyName: string | undefined,
  debianVersion: string | undefined,
): boolean {
  if (id === 'alpine') return /_alpha|edge/.test(`${version ?? ''} ${prettyName ?? ''}`);
  if (id === 'debian')
    return version === undefined || [prettyName, debianVersion?.trim()].some((text) => text?.endsWith('/sid'));
  return ROLLING.has(id);
}

function versionByCodename(
  id: string,
  codename: string | undefined,
  debianVersion: string | undefined,
): string | undefined {
  if (id !== 'debian') return undefined;
  const name = codename ?? debianVersion?.trim().split('/', 1)[0];
  return name === undefined ? undefined : DEBIAN_CODENAMES[name];
}

/** `Debian GNU/Linux trixie/sid` names its codename only there. */
function codenameIn(prettyName: string | undefined): string | undefined {
  return Object.keys(DEBIAN_CODENAMES).find((codename) => prettyName?.includes(codename));
}

/**
 * Shell-like assignments with quotes and backslashes (os-release(5)), the last of a name counts; what is no assignment is
 * passed over.
 */
export function parseOsRelease(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trimEnd());
    if (match?.[1] !== undefined) fields.set(match[1], unquote(match[2] ?? '').slice(0, LONGEST_VALUE));
  }
  return fields;
}

function unquote(text: string): string {
  const trimmed = text.trim();
  if (trimmed.startsWith("'") && trimmed.endsWith("'") && trimmed.length >= 2) return trimmed.slice(1, -1);
  const body = trimmed.startsWith('"') && trimmed.endsWith('"') && trimmed.length >= 2 ? trimmed.slice(1, -1) : trimmed;
  return body.replace(/\\(["$`\\])/g, '$1');
}
