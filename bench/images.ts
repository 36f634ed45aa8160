import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { dataPath } from '../test/support/data.ts';
import { writeDockerArchive } from '../test/support/docker-archive.ts';

/** A docker archive with one layer, to be scanned or pushed. */
export interface BenchImage {
  /** With its size. */
  readonly name: string;
  readonly archive: string;
}

const ROOTS = [
  ['Alpine 3.20.3', 'alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz'],
  ['Debian 12 minbase', 'debian/debian-12-minbase.tar.gz'],
] as const;

/** Where `dev/images/runtimes` keeps what it made. */
const RUNTIMES = join(process.env['IMAGES_DIR'] ?? join(homedir(), '.cache/breakwater-images'), 'runtimes.tar');

/** The images of the benchmark, small ones first; the large one only when it was built. */
export async function benchImages(folder: string): Promise<readonly BenchImage[]> {
  const archives = ROOTS.map(([name, rootfs]): readonly [string, string] => {
    const archive = join(folder, `${name.replaceAll(/\W+/g, '-').toLowerCase()}.tar`);
    if (!existsSync(archive)) writeDockerArchive(dataPath('images', rootfs), archive);
    return [name, archive];
  });
  if (existsSync(RUNTIMES)) archives.push(['Debian 12 with runtimes', RUNTIMES]);
  else console.log('the large image is not measured: it was not built (dev/images/runtimes)');
  return Promise.all(
    archives.map(async ([name, archive]) => {
      const megabytes = ((await stat(archive)).size / 1e6).toFixed(0);
      return { name: `${name}, ${megabytes} MB`, archive };
    }),
  );
}
