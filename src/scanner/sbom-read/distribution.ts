import type { Distribution } from '../../model/inventory.ts';
import { distributionOf } from '../distribution.ts';

/** What a document says of the operating system. */
export interface SystemHint {
  readonly name: string;
  readonly version: string | undefined;
  readonly prettyName?: string | undefined;
}

/** Names that Trivy has for distributions, by their ID of os-release. */
const IDS: ReadonlyMap<string, string> = new Map([
  ['alma', 'almalinux'],
  ['amazon', 'amzn'],
  ['cbl-mariner', 'mariner'],
  ['oracle', 'ol'],
  ['opensuse', 'opensuse-leap'],
  ['redhat', 'rhel'],
  ['suse', 'sles'],
  ['suse linux enterprise server', 'sles'],
]);

/** The distribution a document speaks of, as os-release of such a system would give it. */
export function distributionOfHint({ name, version, prettyName }: SystemHint): Distribution | undefined {
  const lower = name.toLowerCase().replace('opensuse.', 'opensuse-');
  const id = IDS.get(lower) ?? lower;
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(id)) return undefined;
  const numbered = version !== undefined && /^\d/.test(version);
  const lines = [
    `ID=${id}`,
    ...(numbered ? [`VERSION_ID=${quoted(id === 'debian' ? (version.split('.', 1)[0] ?? '') : version)}`] : []),
    ...(version !== undefined && !numbered ? [`VERSION_CODENAME=${quoted(version)}`] : []),
    ...(prettyName === undefined ? [] : [`PRETTY_NAME=${quoted(prettyName)}`]),
  ];
  return distributionOf({ osRelease: lines.join('\n') });
}

/**
 * Name and version in the qualifier `distro` (package URL types): `debian-12`, `opensuse-leap-15.5`, `debian-bookworm`, or
 * the version alone, whose name is then the namespace.
 */
export function hintOfQualifier(distro: string, namespace: string | undefined): SystemHint | undefined {
  if (/^\d/.test(distro)) return namespace === undefined ? undefined : { name: namespace, version: distro };
  const numbered = /-\d[^-]*(?:-SP\d+)?$/.exec(distro);
  if (numbered) return { name: distro.slice(0, numbered.index), version: distro.slice(numbered.index + 1) };
  if (namespace !== undefined && distro.startsWith(`${namespace}-`))
    return { name: namespace, version: distro.slice(namespace.length + 1) };
  return { name: distro, version: undefined };
}

function quoted(text: string): string {
  return `"${text.replace(/["\\$`\n\r]/g, '')}"`;
}
