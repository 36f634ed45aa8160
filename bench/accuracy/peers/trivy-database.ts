import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { dataPath } from '../../../test/support/data.ts';
import { requirePeer } from '../../../test/support/peers.ts';
import { run } from './run.ts';

const secdbSchema = z.object({
  distroversion: z.string(),
  reponame: z.string(),
  packages: z.array(
    z.object({
      pkg: z.object({ name: z.string(), secfixes: z.record(z.string(), z.array(z.string()).nullable()).nullish() }),
    }),
  ),
});
const nvdSchema = z.object({ vulnerabilities: z.array(z.object({ cve: z.looseObject({ id: z.string() }) })) });

/** Gives Trivy's own database builder the Alpine and NVD test data in the layout it reads; the folder of the finished database. */
export async function buildTrivyDatabase(folder: string): Promise<string> {
  const program = requirePeer('trivy-db');
  await writeAlpine(join(folder, 'vuln-list/alpine'));
  await writeNvd(join(folder, 'vuln-list-nvd/api'));
  const target = join(folder, 'out');
  await run(program, [
    'build',
    '--only-update',
    'alpine',
    '--only-update',
    'nvd',
    '--cache-dir',
    folder,
    '--output-dir',
    target,
  ]);
  return target;
}

async function writeAlpine(folder: string): Promise<void> {
  for (const branch of await readdir(dataPath('secdb'))) {
    for (const file of await readdir(dataPath('secdb', branch))) {
      const { distroversion, reponame, packages } = secdbSchema.parse(
        JSON.parse(await readFile(dataPath('secdb', branch, file), 'utf8')),
      );
      const target = join(folder, branch, reponame);
      await mkdir(target, { recursive: true });
      for (const { pkg } of packages) {
        const secfixes = Object.fromEntries(
          Object.entries(pkg.secfixes ?? {}).flatMap(([version, lines]) => {
            const ids = (lines ?? []).flatMap((line) => line.split(/\s+/)).filter((id) => id !== '');
            return ids.length > 0 ? [[version, ids]] : [];
          }),
        );
        await writeFile(
          join(target, `${pkg.name}.json`),
          JSON.stringify({ name: pkg.name, secfixes, reponame, distroversion }),
        );
      }
    }
  }
}

async function writeNvd(folder: string): Promise<void> {
  const { vulnerabilities } = nvdSchema.parse(
    JSON.parse(gunzipSync(await readFile(dataPath('nvd/nvdcve-2.0-excerpt.json.gz'))).toString()),
  );
  for (const { cve } of vulnerabilities) {
    const target = join(folder, cve.id.split('-')[1] ?? '');
    await mkdir(target, { recursive: true });
    await writeFile(join(target, `${cve.id}.json`), JSON.stringify(cve));
  }
}
