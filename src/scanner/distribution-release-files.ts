import type { Distribution } from '../model/inventory.ts';

/** Systems by the names they give themselves before the word `release`, or at the start of SuSE-release. */
const BY_NAME: readonly (readonly [start: string, id: string, idLike: readonly string[]])[] = [
  ['AlmaLinux', 'almalinux', ['rhel', 'centos', 'fedora']],
  ['Amazon Linux', 'amzn', ['rhel', 'fedora']],
  ['CentOS', 'centos', ['rhel', 'fedora']],
  ['CloudLinux', 'cloudlinux', ['rhel', 'fedora', 'centos']],
  ['Enterprise Linux', 'ol', ['fedora']],
  ['Fedora', 'fedora', []],
  ['Oracle Linux', 'ol', ['fedora']],
  ['Red Hat Enterprise Linux', 'rhel', ['fedora']],
  ['Rocky Linux', 'rocky', ['rhel', 'centos', 'fedora']],
  ['Scientific Linux', 'scientific', ['rhel', 'centos', 'fedora']],
  ['SUSE Linux Enterprise', 'sles', ['suse']],
  ['openSUSE', 'opensuse', ['suse']],
];
const LONGEST_LINE = 256;

/**
 * The system that a line such as `CentOS release 6.10 (Final)` names, from before os-release(5); undefined for a name that is
 * not known.
 */
export function fromReleaseLine(text: string): Distribution | undefined {
  const line = firstLine(text);
  const version = /\brelease (\d+(?:\.\d+)*)/.exec(line)?.[1];
  return named(line, version);
}

/** The system of a SuSE-release: its name, then assignments of VERSION and, for enterprise products, PATCHLEVEL. */
export function fromSuseRelease(text: string): Distribution | undefined {
  const version = /^VERSION = (\d+(?:\.\d+)?)\s*$/m.exec(text)?.[1];
  const patch = /^PATCHLEVEL = (\d+)\s*$/m.exec(text)?.[1];
  const isWhole = version === undefined || version.includes('.') || patch === undefined || patch === '0';
  return named(firstLine(text), isWhole ? version : `${version}.${patch}`);
}

function named(line: string, version: string | undefined): Distribution | undefined {
  const known = BY_NAME.find(([start]) => line.startsWith(start));
  if (!known) return undefined;
  const [, id, idLike] = known;
  return { id, ...(version === undefined ? {} : { version }), idLike, prettyName: line, rolling: false };
}

function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, LONGEST_LINE).trim();
}
