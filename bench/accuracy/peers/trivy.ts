import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { requirePeer } from '../../../test/support/peers.ts';
import type { ListedFinding, Tool } from '../facts.ts';
import { packageOfPurl } from './purl.ts';
import { builtVersion, run } from './run.ts';
import { buildTrivyDatabase } from './trivy-database.ts';

const outputSchema = z.object({
  Metadata: z.object({ OS: z.object({ Family: z.string() }).optional() }).optional(),
  Results: z
    .array(
      z.object({
        Packages: z.array(z.object({ Identifier: z.object({ PURL: z.string().optional() }).optional() })).optional(),
        Vulnerabilities: z
          .array(
            z.object({
              VulnerabilityID: z.string(),
              PkgIdentifier: z.object({ PURL: z.string().optional() }).optional(),
            }),
          )
          .optional(),
      }),
    )
    .optional(),
});

const OFFLINE = [
  '--skip-version-check',
  '--skip-db-update',
  '--skip-java-db-update',
  '--offline-scan',
  '--scanners',
  'vuln',
];

/** Trivy with a database of its own making from the same Alpine and NVD data; its findings count for Alpine only. */
export async function trivy(folder: string): Promise<Tool> {
  const program = requirePeer('trivy');
  const built = await buildTrivyDatabase(join(folder, 'trivy-database'));
  const version = await builtVersion(program);
  return {
    name: 'trivy',
    version,
    async scan(archive) {
      const cache = join(folder, 'trivy-cache');
      await rm(cache, { recursive: true, force: true });
      await mkdir(join(cache, 'db'), { recursive: true });
      for (const name of await readdir(built)) await copyFile(join(built, name), join(cache, 'db', name));
      const text = await run(program, [
        'image',
        '--input',
        archive,
        '--cache-dir',
        cache,
        ...OFFLINE,
        '--list-all-pkgs',
        '-q',
        '-f',
        'json',
      ]);
      const { Metadata, Results = [] } = outputSchema.parse(JSON.parse(text));
      const packages = Results.flatMap(({ Packages = [] }) =>
        Packages.flatMap(({ Identifier }) => ofPurl(Identifier?.PURL)),
      );
      if (Metadata?.OS?.Family !== 'alpine') return { packages };
      const findings = Results.flatMap(({ Vulnerabilities = [] }) =>
        Vulnerabilities.flatMap(({ VulnerabilityID, PkgIdentifier }) =>
          ofPurl(PkgIdentifier?.PURL).map((found): ListedFinding => ({ package: found, ids: [VulnerabilityID] })),
        ),
      );
      return { packages, findings };
    },
  };
}

function ofPurl(purl: string | undefined) {
  const found = purl === undefined ? undefined : packageOfPurl(purl);
  return found ? [found] : [];
}
