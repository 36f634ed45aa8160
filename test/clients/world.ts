import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeIndexLayout, writeOciLayout } from '../support/oci-layout.ts';
import { run } from '../support/program.ts';
import { done, type World } from './client.ts';
import { startCuttingProxy } from './cutting-proxy.ts';

/** A registry to try clients with. */
export interface Target {
  readonly host: string;
  readonly user: string;
  readonly password: string;
  stop(): Promise<unknown>;
}

const NAME = 'sample';
/** One layer that fits into a single request of every client, one that is sent in pieces by some. */
const LAYERS = { small: 1000, large: 12_000_000 } as const;
/** Lies within the large layer. */
const CUT_AFTER = 3_000_000;

/** Images, logins and a bad line for one target. */
export async function openWorld(target: Target) {
  // Lower case throughout: podman makes an image name of the path.
  const root = join(tmpdir(), `breakwater-clients-${randomUUID()}`);
  await mkdir(root);
  async function folder(): Promise<string> {
    const made = join(root, randomUUID());
    await mkdir(made);
    return made;
  }

  const layers = await randomLayers(await folder());
  const layout = join(root, 'layout');
  const index = join(root, 'index');
  const proxy = await startCuttingProxy(target.host, CUT_AFTER);
  const config = join(root, 'login');
  await mkdir(config);
  const auth = { auth: Buffer.from(`${target.user}:${target.password}`).toString('base64') };
  await writeFile(join(config, 'config.json'), JSON.stringify({ auths: { [target.host]: auth, [proxy.host]: auth } }));
  const world: World = {
    host: target.host,
    user: target.user,
    password: target.password,
    config,
    broken: proxy,
    layout,
    index,
    name: NAME,
    digest: writeOciLayout(layout, { layers, name: NAME }),
    indexDigest: writeIndexLayout(index, { layers, name: NAME }),
    layers,
    async fresh() {
      const work = await folder();
      const own = await randomLayers(work);
      const place = join(work, 'layout');
      return { layout: place, digest: writeOciLayout(place, { layers: own, name: NAME }), layers: own };
    },
    folder,
  };
  return {
    world,
    proxy,
    async close() {
      await proxy.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function randomLayers(folder: string): Promise<readonly string[]> {
  const layers = [];
  for (const [name, size] of Object.entries(LAYERS)) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, `${name}.bin`), randomBytes(size));
    const layer = join(folder, `${name}.tar.gz`);
    done(await run('tar', ['-czf', layer, '-C', join(folder, name), '.']));
    layers.push(layer);
  }
  return layers;
}
