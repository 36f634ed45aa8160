import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { writeOciLayout } from '../../../test/support/oci-layout.ts';
import { makeTar, type TarItem } from '../../../test/support/tar.ts';
import { digestOf } from '../../oci/digest.ts';
import { analyseLocalTarget } from '../analyse-image.ts';
import { openLocalTarget } from './open.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-sources-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const layer = (name: string) => makeTar([{ name: 'lib/apk/db/installed', content: `P:${name}\nV:1-r0\n\n` }]);
const rootFolder = join(folder, 'root');
mkdirSync(join(rootFolder, 'lib/apk/db'), { recursive: true });
writeFileSync(join(rootFolder, 'lib/apk/db/installed'), 'P:musl\nV:1-r0\n\n');
write('layer.tar.gz', gzipSync(layer('musl')));
const layout = join(folder, 'layout');
mkdirSync(layout);
const manifestDigest = writeOciLayout(layout, { layers: [join(folder, 'layer.tar.gz')], name: 'musl' });

/** A `docker save` archive, an image for each platform. */
function dockerArchive(
  platforms: readonly string[],
  extra: readonly TarItem[] = [],
  tagsOf = (at: number): readonly string[] | null => [`test:${at}`],
): Buffer {
  const images = platforms.map((platform, at) => {
    const [os, architecture] = platform.split('/');
    const content = layer(`musl-${architecture}`);
    return {
      entry: { Config: `c${at}.json`, RepoTags: tagsOf(at), Layers: [`l${at}/layer.tar`] },
      files: [
        { name: `l${at}/layer.tar`, content },
        {
          name: `c${at}.json`,
          content: JSON.stringify({
            os,
            architecture,
            rootfs: { diff_ids: [digestOf(content)] },
            history: [{ created_by: `ADD ${architecture} /` }, { created_by: 'CMD sh', empty_layer: true }],
          }),
        },
      ],
    };
  });
  return makeTar([
    ...images.flatMap(({ files }) => files),
    ...extra,
    { name: 'manifest.json', content: JSON.stringify(images.map(({ entry }) => entry)) },
  ]);
}

const packagesOf = async (path: string, platform?: string, image?: string) =>
  (
    await analyseLocalTarget(path, {
      ...(platform === undefined ? {} : { platform }),
      ...(image === undefined ? {} : { image }),
    })
  )?.inventory.packages.map(({ name }) => name);

/** A layout with the same image under several names, as of several architectures; what the layers hold tells them apart. */
function layoutOf(images: readonly { name?: string; architecture?: string; packages: string }[]): {
  readonly path: string;
  readonly digests: readonly string[];
} {
  const path = mkdtempSync(join(folder, 'several-'));
  const manifests: object[] = [];
  const digests = images.map(({ name = '', architecture, packages }) => {
    const file = write(`${packages}.tar.gz`, gzipSync(layer(packages)));
    const digest = writeOciLayout(path, { layers: [file], name, ...(architecture ? { architecture } : {}) });
    const index = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8')) as { manifests: object[] };
    const platform = architecture === undefined ? {} : { platform: { os: 'linux', architecture } };
    manifests.push(...index.manifests.map((one) => ({ ...one, ...platform, ...(name ? {} : { annotations: {} }) })));
    return digest;
  });
  writeFileSync(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  return { path, digests };
}

describe('openLocalTarget', () => {
  it('finds the image that files of a root file system stand before', async () => {
    const decoy = [
      { name: 'etc/os-release', content: 'ID=alpine\n' },
      { name: 'lib/apk/db/installed', content: '' },
    ];
    expect(await packagesOf(write('decoy', dockerArchive(['linux/amd64'], decoy)))).toEqual(['musl-amd64']);
  });

  it('knows what it is given by its content', async () => {
    const docker = dockerArchive(['linux/amd64']);
    const kinds = [
      rootFolder,
      layout,
      write('a', layer('musl')),
      write('b', gzipSync(layer('musl'))),
      write('c', zstdCompressSync(layer('musl'))),
    ];
    for (const path of kinds) expect(await packagesOf(path), path).toEqual(['musl']);
    for (const path of [write('d', docker), write('e', gzipSync(docker)), write('f', zstdCompressSync(docker))])
      expect(await packagesOf(path), path).toEqual(['musl-amd64']);
  });

  it('gives the digests of layers and manifests', async () => {
    const target = await openLocalTarget(layout);
    expect(target).toMatchObject({ kind: 'image', source: { digest: manifestDigest, layers: [{}] } });
    const saved = await analyseLocalTarget(write('g', dockerArchive(['linux/amd64'])));
    expect(saved?.inventory.packages[0]?.layer).toBe(digestOf(layer('musl-amd64')));
  });

  it('says which step made each layer', async () => {
    const saved = await analyseLocalTarget(write('steps', dockerArchive(['linux/amd64'])));
    expect(saved?.inventory.layers).toEqual([{ digest: digestOf(layer('musl-amd64')), createdBy: 'ADD amd64 /' }]);
    expect((await analyseLocalTarget(rootFolder))?.inventory).not.toHaveProperty('layers');
  });

  it.each([
    ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', 'it is encrypted'],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'it is a foreign layer'],
  ])('names a layer of type %s, and is not complete', async (mediaType, why) => {
    const closed = mkdtempSync(join(folder, 'closed-'));
    writeOciLayout(closed, { layers: [join(folder, 'layer.tar.gz')], name: 'musl' });
    const manifestPath = join(closed, 'blobs/sha256', manifestDigest.replace('sha256:', ''));
    const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as { layers: { mediaType: string }[] };
    for (const one of manifest.layers) one.mediaType = mediaType;
    writeFileSync(manifestPath, JSON.stringify(manifest));
    const analysed = await analyseLocalTarget(closed);
    expect(analysed?.inventory).toMatchObject({ complete: false, packages: [], gaps: [{ kind: 'unsupported-layer' }] });
    expect(analysed?.inventory.gaps[0]?.message).toContain(why);
  });

  it('takes the asked platform of several images, and names them when none is asked', async () => {
    const path = write('several', dockerArchive(['linux/amd64', 'linux/arm64']));
    expect(await packagesOf(path, 'linux/arm64')).toEqual(['musl-arm64']);
    await expect(packagesOf(path)).rejects.toMatchObject({
      code: 'image_ambiguous',
      message: expect.stringContaining('test:0 for linux/amd64, test:1 for linux/arm64'),
    });
    await expect(packagesOf(path, 'linux/s390x')).rejects.toMatchObject({ code: 'image_ambiguous' });
  });

  it('takes the named image of a docker archive, however the name is written', async () => {
    const names = [['alpine:3.20', 'mine:1'], ['docker.io/library/alpine:3.21']];
    const path = write(
      'named',
      dockerArchive(['linux/amd64', 'linux/arm64'], [], (at) => names[at] ?? null),
    );
    for (const [image, found] of [
      ['alpine:3.20', 'musl-amd64'],
      ['mine:1', 'musl-amd64'],
      ['docker.io/library/mine:1', 'musl-amd64'],
      ['alpine:3.21', 'musl-arm64'],
    ] as const)
      expect(await packagesOf(path, undefined, image), image).toEqual([found]);
    expect(await openLocalTarget(path, { image: 'mine:1' })).toMatchObject({ source: { name: 'mine:1' } });
    await expect(packagesOf(path)).rejects.toThrow(
      'holds 2 images (alpine:3.20 for linux/amd64, docker.io/library/alpine:3.21 for linux/arm64); choose one with --image',
    );
    await expect(packagesOf(path, undefined, 'alpine:3')).rejects.toThrow(
      /has no image alpine:3; it has alpine:3.20 for linux\/amd64, /,
    );
    await expect(packagesOf(path, 'linux/arm64', 'mine:1')).rejects.toThrow(
      /has no linux\/arm64; it has alpine:3.20 for linux\/amd64$/,
    );
  });

  it('takes the named image of a layout, or the one with that digest', async () => {
    const { path, digests } = layoutOf([
      { name: 'one', packages: 'first' },
      { name: 'registry.example/two:1', packages: 'second' },
      { packages: 'third' },
    ]);
    const [, , digest = ''] = digests;
    expect(await packagesOf(path, undefined, 'one')).toEqual(['first']);
    expect(await packagesOf(path, undefined, 'registry.example/two:1')).toEqual(['second']);
    expect(await packagesOf(path, undefined, digest)).toEqual(['third']);
    expect(await packagesOf(path, undefined, digest.slice(7, 19))).toEqual(['third']);
    await expect(packagesOf(path, undefined, digest.slice(7, 18))).rejects.toThrow('has no image');
    await expect(packagesOf(path)).rejects.toMatchObject({
      code: 'image_ambiguous',
      message: `${path} holds 3 images (one, registry.example/two:1, ${digest}); choose one with --image, by name or digest`,
    });
  });

  it('lets no platform choose between images of different names, but between platforms of one', async () => {
    const different = layoutOf([
      { name: 'a', architecture: 'amd64', packages: 'first' },
      { name: 'b', architecture: 'arm64', packages: 'second' },
    ]);
    await expect(packagesOf(different.path)).rejects.toThrow(/a for linux\/amd64, b for linux\/arm64.*--image/);
    expect(await packagesOf(different.path, 'linux/arm64')).toEqual(['second']);
    const same = layoutOf([
      { name: 'a', architecture: 'amd64', packages: 'first' },
      { name: 'a', architecture: 'arm64', packages: 'second' },
    ]);
    expect(await packagesOf(same.path)).toEqual(['first']);
    expect(await packagesOf(same.path, 'linux/arm64', 'a')).toEqual(['second']);
  });

  it('does not ask which name is meant where all name one image', async () => {
    const { path } = layoutOf([
      { name: 'a:1', packages: 'first' },
      { name: 'a:latest', packages: 'first' },
    ]);
    expect(await packagesOf(path)).toEqual(['first']);
  });

  it('has no image to choose in a root file system', async () => {
    await expect(packagesOf(rootFolder, undefined, 'a')).rejects.toThrow(/is a root file system/);
    await expect(packagesOf(write('one', layer('musl')), undefined, 'a')).rejects.toThrow(/is a root file system/);
  });

  it.each([
    ['text', Buffer.from('hello')],
    ['nothing', Buffer.alloc(0)],
    ['an archive of something else', makeTar([{ name: 'readme.md', content: 'x' }])],
    ['a manifest that lists no image', makeTar([{ name: 'manifest.json', content: '[]' }])],
    ['a manifest that is no JSON', makeTar([{ name: 'manifest.json', content: '[' }])],
    [
      'a missing configuration',
      makeTar([{ name: 'manifest.json', content: '[{"Config":"../c.json","Layers":["/etc/passwd"]}]' }]),
    ],
    [
      'an index that leads nowhere',
      makeTar([
        { name: 'oci-layout', content: '{}' },
        { name: 'index.json', content: '{"schemaVersion":2,"manifests":[]}' },
      ]),
    ],
    ['a compressed archive cut off', gzipSync(dockerArchive(['linux/amd64'])).subarray(0, -20)],
    ['an archive cut off', dockerArchive(['linux/amd64']).subarray(0, 3000)],
  ])('says what is wrong with %s', async (what, bytes) => {
    await expect(openLocalTarget(write(what, bytes))).rejects.toMatchObject({ name: 'ScanError' });
  });

  it('gives undefined for what is not there', async () => {
    expect(await openLocalTarget(join(folder, 'missing'))).toBeUndefined();
  });

  it('follows links in archives by name only, and none in circles', async () => {
    const links: TarItem[] = [
      { name: 'x/layer.tar', type: 'symlink', link: '../../../../l0/layer.tar' },
      { name: 'y', type: 'symlink', link: 'y' },
    ];
    const archive = (path: string) => [
      ...links,
      { name: 'l0/layer.tar', content: layer('inside') },
      { name: 'c0.json', content: '{}' },
      { name: 'manifest.json', content: JSON.stringify([{ Config: 'c0.json', Layers: [path] }]) },
    ];
    expect(await packagesOf(write('links', makeTar(archive('x/layer.tar'))))).toEqual(['inside']);
    await expect(packagesOf(write('circle', makeTar(archive('y'))))).rejects.toMatchObject({ code: 'source_invalid' });
  });

  it('refuses a layout that links out of its folder', async () => {
    const outside = join(folder, 'outside');
    mkdirSync(join(outside, 'blobs'), { recursive: true });
    const copy = join(folder, 'linked');
    mkdirSync(copy);
    writeFileSync(join(copy, 'oci-layout'), '{}');
    symlinkSync(join(layout, 'index.json'), join(copy, 'index.json'));
    await expect(openLocalTarget(copy)).rejects.toMatchObject({
      code: 'source_invalid',
      message: expect.stringContaining('leads out of the folder'),
    });
  });

  it('looks at a folder without following its links, and says what it could not read', async () => {
    const root = join(folder, 'hostile');
    mkdirSync(join(root, 'var/lib/dpkg'), { recursive: true });
    writeFileSync(join(folder, 'status'), 'Package: secret\nStatus: install ok installed\nVersion: 1\n');
    symlinkSync(join(folder, 'status'), join(root, 'var/lib/dpkg/status'));
    symlinkSync('.', join(root, 'around'));
    expect(await analyseLocalTarget(root)).toMatchObject({ inventory: { packages: [], complete: true } });
  });
});
