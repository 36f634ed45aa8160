import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { PackageType } from '../../../src/model/inventory.ts';
import { dataPath } from '../../../test/support/data.ts';
import { requirePeer } from '../../../test/support/peers.ts';
import { listed, type Tool } from '../facts.ts';
import { run } from './run.ts';

const outputSchema = z.object({
  results: z.array(
    z.object({
      packages: z.array(
        z.object({
          package: z.object({
            name: z.string(),
            version: z.string(),
            ecosystem: z.string().optional(),
            os_package_name: z.string().optional(),
          }),
          groups: z.array(z.object({ ids: z.array(z.string()), aliases: z.array(z.string()) })).optional(),
          vulnerabilities: z.array(z.object({ id: z.string(), related: z.array(z.string()).optional() })).optional(),
        }),
      ),
    }),
  ),
});

const ERRATA = /^(?:AL|RL|RH|ROCKY)[A-Z]{2}-/;

/** OSV's ecosystems without their release, by the type of package they are about. */
const TYPES: ReadonlyMap<string, PackageType> = new Map([
  ['Alpine', 'apk'],
  ['AlmaLinux', 'rpm'],
  ['Rocky Linux', 'rpm'],
  ['Red Hat', 'rpm'],
  ['SUSE', 'rpm'],
  ['openSUSE', 'rpm'],
  ['Mageia', 'rpm'],
  ['Debian', 'deb'],
  ['Ubuntu', 'deb'],
  ['npm', 'npm'],
  ['PyPI', 'pypi'],
  ['Go', 'golang'],
  ['crates.io', 'cargo'],
  ['Maven', 'maven'],
  ['RubyGems', 'gem'],
  ['NuGet', 'nuget'],
  ['Packagist', 'composer'],
]);

/** osv-scanner with the very records that Breakwater's database is built from: an oracle for matching. */
export async function osvScanner(folder: string): Promise<Tool> {
  const program = requirePeer('osv-scanner');
  const cache = join(folder, 'osv-cache');
  await mkdir(cache, { recursive: true });
  await symlink(dataPath('osv'), join(cache, 'osv-scalibr'));
  const version = /version: *(\S+)/.exec(await run(program, ['--version']))?.[1] ?? 'unknown';
  return {
    name: 'osv-scanner',
    version,
    async scan(archive) {
      const text = await run(
        program,
        ['scan', 'image', '--archive', '--offline', '--format', 'json', '--all-packages', '--all-vulns', archive],
        // 1: findings, 128: no packages.
        { environment: { OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY: cache }, accepted: [0, 1, 128] },
      );
      if (text.trim() === '') return { packages: [], findings: [] };
      const found = outputSchema.parse(JSON.parse(text)).results.flatMap(({ packages }) => packages);
      const rows = found.flatMap(({ package: { name, version, ecosystem = '', os_package_name }, ...rest }) => {
        const type = TYPES.get(ecosystem.split(':', 1)[0] ?? '');
        return type ? [{ package: listed(type, os_package_name ?? name, version), ...rest }] : [];
      });
      return {
        packages: rows.map((row) => row.package),
        findings: rows.flatMap(({ package: item, groups = [], vulnerabilities = [] }) => {
          const related = new Map(vulnerabilities.map((one) => [one.id, one.related ?? []]));
          return groups.flatMap((group) => vulnerabilitiesOf(group, related).map((ids) => ({ package: item, ids })));
        }),
      };
    },
  };
}

/** An erratum (ALSA, RLSA, ...) stands for every CVE it names; other groups are one vulnerability. */
function vulnerabilitiesOf(
  { ids, aliases }: { readonly ids: readonly string[]; readonly aliases: readonly string[] },
  related: ReadonlyMap<string, readonly string[]>,
): readonly (readonly string[])[] {
  const all = [...new Set([...ids, ...aliases])];
  const cves = ids.some((id) => ERRATA.test(id))
    ? ids.flatMap((id) => related.get(id) ?? []).filter((id) => id.startsWith('CVE-'))
    : [];
  return cves.length > 0 ? [...new Set(cves)].map((cve) => [cve, ...all]) : [all];
}
