import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dataPath } from '../support/data.ts';
import { writeDockerArchive } from '../support/docker-archive.ts';
import { writeOciLayout } from '../support/oci-layout.ts';
import type { Stage } from './stage.ts';

/** Root file system of an Alpine release, as its makers publish it. */
export function alpineRoot(release: string, architecture = 'x86_64'): string {
  return dataPath('images/alpine', `alpine-minirootfs-${release}-${architecture}.tar.gz`);
}

/** A `docker save` archive of an Alpine release in the stage's folder; its path. */
export async function alpineArchive(stage: Stage, release: string): Promise<string> {
  await mkdir(join(stage.folder, 'images'), { recursive: true });
  const path = join(stage.folder, 'images', `alpine-${release}.tar`);
  writeDockerArchive(alpineRoot(release), path);
  return path;
}

/** An OCI layout folder in the stage's folder, with its digest. */
export function layout(
  stage: Stage,
  name: string,
  layers: readonly string[],
  architecture = 'amd64',
): { readonly path: string; readonly digest: string } {
  const path = join(stage.folder, 'images', name);
  return { path, digest: writeOciLayout(path, { layers, name: 'image', architecture }) };
}
