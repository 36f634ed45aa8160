import { closeSync, createReadStream, existsSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../platform/errors.ts';
import { ScanError } from '../errors.ts';
import type { ImageSource, SourceOptions } from '../image-source.ts';
import { type ByteReader, createByteReader } from '../layers/byte-reader.ts';
import { compressionOf, decompressed } from '../layers/compression.ts';
import { createFileReader } from '../layers/file-reader.ts';
import { normalisePath } from '../layers/paths.ts';
import { createTarReader } from '../layers/tar-reader.ts';
import { DEFAULT_LIMITS } from '../model.ts';
import { indexArchive } from './archive-index.ts';
import { openDockerArchive } from './docker-archive.ts';
import { layoutArchive, layoutFolder, openOciLayout } from './oci-layout.ts';

/** What a path of this machine holds. A plain folder is no stack of layers and is looked at in place. */
export type LocalTarget =
  | { readonly kind: 'image'; readonly source: ImageSource }
  | { readonly kind: 'folder'; readonly path: string };

/** Top folders of a root file system; archives of images have none of them. */
const ROOT_FOLDERS: ReadonlySet<string> = new Set([
  'bin',
  'etc',
  'lib',
  'sbin',
  'usr',
  'var',
  'opt',
  'home',
  'app',
  'root',
]);
/** What archives of images hold at their top. */
const IN_IMAGES = /^(?:blobs|oci-layout|[0-9a-f]{64}(?:\.json|\.tar|\.tar\.gz)?)$/;
const PEEKED_ENTRIES = 2000;
const LAYOUT_FILES: ReadonlySet<string> = new Set(['index.json', 'oci-layout']);
const PIECE = 256 * 1024;

/**
 * Opens a docker archive, OCI archive or layout folder, root file system tarball, or plain folder; which one it is, its
 * content says. Undefined when there is nothing of that name. Throws `ScanError`, `ManifestError`.
 */
export async function openLocalTarget(path: string, options: SourceOptions = {}): Promise<LocalTarget | undefined> {
  const info = statOf(path);
  if (!info) return undefined;
  if (info.isDirectory()) {
    if (!existsSync(join(path, 'index.json')) || !existsSync(join(path, 'oci-layout')))
      return rootFileSystem({ kind: 'folder', path }, path, options);
    return { kind: 'image', source: await openOciLayout(await layoutFolder(path), path, options) };
  }
  if (!info.isFile()) throw new ScanError('source_invalid', `${path} is neither a file nor a folder`);
  if (await isRootFileSystem(path)) return rootFileSystem({ kind: 'image', source: tarball(path) }, path, options);
  return { kind: 'image', source: await openArchive(path, options) };
}

function rootFileSystem(target: LocalTarget, path: string, { image }: SourceOptions): LocalTarget {
  if (image === undefined) return target;
  throw new ScanError('image_ambiguous', `${path} is a root file system: it has no image ${image} to choose`);
}

async function openArchive(path: string, options: SourceOptions): Promise<ImageSource> {
  const archive = await indexArchive(path);
  try {
    if (archive.has('manifest.json')) return openDockerArchive(archive, path, options);
    if (archive.has('index.json')) return await openOciLayout(layoutArchive(archive), path, options);
    throw new ScanError(
      'source_invalid',
      `${path} is no image: it has neither manifest.json (docker save) nor index.json (OCI), and no root file system`,
    );
  } catch (error) {
    await archive.close();
    throw error;
  }
}

function tarball(path: string): ImageSource {
  return {
    name: path,
    layers: [{ open: () => Promise.resolve({ path }) }],
    close: () => Promise.resolve(),
  };
}

/**
 * True for a root file system. One that holds an image as well is the image: that is what container runtimes load, so it is
 * looked for to the end of the archive. A damaged archive is left to be reported by who reads it whole.
 */
async function isRootFileSystem(path: string): Promise<boolean> {
  const fd = openSync(path, 'r');
  const ofLayout = new Set<string>();
  let seen = 0;
  let root = false;
  let reader: ByteReader | undefined;
  try {
    reader = archiveReader(fd, path);
    const tar = createTarReader(reader);
    for (;;) {
      const next = tar.next();
      const entry = next instanceof Promise ? await next : next;
      if (!entry) return root;
      const name = normalisePath(entry.name) ?? '';
      if (LAYOUT_FILES.has(name)) ofLayout.add(name);
      if (name === 'manifest.json' || ofLayout.size === LAYOUT_FILES.size) return false;
      const top = name.split('/', 1)[0] ?? '';
      root ||= ROOT_FOLDERS.has(top);
      seen += 1;
      if (!root && (seen >= PEEKED_ENTRIES || IN_IMAGES.test(top))) return false;
    }
  } catch (error) {
    if (seen > 0) return root;
    throw new ScanError(
      'source_invalid',
      `${path} is no archive in any form that can be scanned: ${messageOf(error)}`,
      { cause: error },
    );
  } finally {
    await reader?.close();
    closeSync(fd);
  }
}

/** Goes through an archive without compression by leaps. */
function archiveReader(fd: number, path: string): ByteReader {
  const head = Buffer.alloc(4);
  readSync(fd, head, 0, head.length, 0);
  if (compressionOf(head) === 'none') return createFileReader(fd, 0, fstatSync(fd).size);
  return createByteReader(
    decompressed(createReadStream(path, { highWaterMark: PIECE }), DEFAULT_LIMITS.uncompressedBytes),
  );
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
