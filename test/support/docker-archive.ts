import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/** Writes a `docker save` archive with one layer made of a root file system (`.tar.gz`), for scanners that read such files. */
export function writeDockerArchive(rootfs: string, target: string): void {
  const layer = gunzipSync(readFileSync(rootfs));
  const id = sha256(layer);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [`sha256:${id}`] },
    }),
  );
  const manifest = [{ Config: `${sha256(config)}.json`, RepoTags: ['test:latest'], Layers: [`${id}/layer.tar`] }];
  const files: readonly (readonly [string, Buffer])[] = [
    [`${sha256(config)}.json`, config],
    [`${id}/layer.tar`, layer],
    ['manifest.json', Buffer.from(JSON.stringify(manifest))],
  ];
  const parts = files.flatMap(([name, data]) => [
    tarHeader(name, data.length),
    data,
    Buffer.alloc(-data.length & (BLOCK - 1)),
  ]);
  writeFileSync(target, Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]));
}

/** Header block of a plain file in ustar format. */
function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
