import { algorithmOf, type Digest, digestOf, hexOf, tryParseDigest } from '../../oci/digest.ts';
import { MANIFEST_LIMIT, parseManifest } from '../../oci/manifest.ts';
import { isRepositoryName, isTag } from '../../oci/reference.ts';
import { CodedError, messageOf } from '../../platform/errors.ts';
import type { ByteSource } from '../../platform/streams.ts';
import { ImportError } from '../errors.ts';
import type { ImportSource, Problem } from '../ports.ts';
import { type ForeignFile, type ForeignFolder, openForeignFolder } from './folder.ts';

/** `sha512:` and 128 digits, with room for a line end. */
const LARGEST_LINK = 160;
const LONGEST_NAME = 255;
/** Where Distribution keeps everything below its `rootdirectory`. */
const V2 = 'docker/registry/v2';

/**
 * The storage folder of a CNCF Distribution (v2.x, v3) as a source of images: its `rootdirectory`, or `docker/registry/v2` in it. It may be
 * in use. What in it cannot be understood goes to `onProblem`. Throws `ImportError('source_unusable')` when it is no such folder.
 */
export async function openDistributionFolder(
  path: string,
  onProblem: (problem: Problem) => void,
): Promise<ImportSource> {
  const root = await openForeignFolder(path);
  const base = (await holds(root, `${V2}/repositories`)) ? `${V2}/` : '';
  if (base === '' && !(await holds(root, 'repositories')))
    throw new ImportError(
      'source_unusable',
      `${path} is no storage folder of Distribution: it has neither ${V2}/repositories nor repositories. Give the folder that "rootdirectory" names in its configuration`,
    );
  const paths = pathsBelow(base);

  /** The digest in a link file; undefined when there is none. */
  async function follow(linkPath: string): Promise<Digest | undefined> {
    const file = await root.file(linkPath);
    if (!file) return undefined;
    if (file.size > LARGEST_LINK) throw new ImportError('damaged', `${linkPath} has ${file.size} bytes and is no link`);
    const digest = tryParseDigest((await file.read(LARGEST_LINK)).toString('latin1').trim());
    if (!digest) throw new ImportError('damaged', `${linkPath} holds no digest`);
    return digest;
  }

  async function content(digest: Digest): Promise<ForeignFile> {
    const file = await root.file(paths.blob(digest));
    if (file) return file;
    throw new ImportError('missing', `the content of ${digest} is not in the folder`);
  }

  return {
    repositories: () => repositoriesIn(root, paths.repositories, onProblem),

    async *tags(repository) {
      for await (const entry of root.list(paths.tags(repository))) {
        const place = `${repository}:${entry.name}`;
        if (!entry.isDirectory()) onProblem({ what: place, reason: 'it is no folder, as a tag would be' });
        else if (isTag(entry.name)) yield entry.name;
        else onProblem({ what: place, reason: 'this cannot be a tag' });
      }
    },

    async *revisions(repository) {
      for (const algorithm of ['sha256', 'sha512'])
        for await (const entry of root.list(paths.revisions(repository, algorithm))) {
          const digest = tryParseDigest(`${algorithm}:${entry.name}`);
          if (!digest) onProblem({ what: `${repository}@${algorithm}:${entry.name}`, reason: 'this is no digest' });
          // A folder without its link is what remains of a manifest that was deleted.
          else if (await isLinked(repository, digest)) yield digest;
        }
    },

    async digestOf(repository, tag) {
      const digest = await follow(paths.tag(repository, tag));
      if (!digest) throw new ImportError('missing', 'the tag points nowhere: its link file is not there');
      return digest;
    },

    async manifest(repository, digest) {
      if (!(await isLinked(repository, digest)))
        throw new ImportError('missing', `${digest} is no manifest of this repository (any more)`);
      const bytes = await whole(await content(digest), digest);
      if (isSchema1(bytes))
        throw new ImportError('refused', 'it is of schema 1, which nothing current pulls; build it anew, or leave it');
      const actual = digestOf(bytes, algorithmOf(digest));
      if (actual !== digest) throw new ImportError('damaged', `the manifest ${digest} has the digest ${actual} now`);
      return { digest, mediaType: parseManifest(bytes).mediaType, content: bytes };
    },

    async blob(_, { digest }) {
      const file = await content(digest);
      return { file: file.path, open: async () => ({ size: file.size, content: readable(await file.open(), digest) }) };
    },
  };

  async function isLinked(repository: string, digest: Digest): Promise<boolean> {
    try {
      return (await follow(paths.revision(repository, digest))) === digest;
    } catch (error) {
      onProblem({ what: `${repository}@${digest}`, reason: messageOf(error) });
      return false;
    }
  }
}

/** The same bytes; what the medium fails to read is the fault of the source. */
async function* readable(content: ByteSource, digest: Digest): ByteSource {
  try {
    yield* content;
  } catch (error) {
    throw new ImportError('damaged', `the content of ${digest} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function pathsBelow(base: string) {
  const repositories = `${base}repositories`;
  const manifests = (repository: string) => `${repositories}/${repository}/_manifests`;
  return {
    repositories,
    blob: (digest: Digest) => `${base}blobs/${algorithmOf(digest)}/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}/data`,
    tags: (repository: string) => `${manifests(repository)}/tags`,
    tag: (repository: string, tag: string) => `${manifests(repository)}/tags/${tag}/current/link`,
    revisions: (repository: string, algorithm: string) => `${manifests(repository)}/revisions/${algorithm}`,
    revision: (repository: string, digest: Digest) =>
      `${manifests(repository)}/revisions/${algorithmOf(digest)}/${hexOf(digest)}/link`,
  };
}

async function whole(file: ForeignFile, digest: Digest): Promise<Buffer> {
  try {
    return await file.read(MANIFEST_LIMIT);
  } catch (error) {
    throw new ImportError('damaged', `the manifest ${digest} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function holds(root: ForeignFolder, path: string): Promise<boolean> {
  const parts = path.split('/');
  const last = parts.pop();
  for await (const entry of root.list(parts.join('/'))) if (entry.name === last && entry.isDirectory()) return true;
  return false;
}

/** Folders with `_manifests`, at any depth: a repository may lie below another. */
async function* repositoriesIn(
  root: ForeignFolder,
  base: string,
  onProblem: (problem: Problem) => void,
): AsyncGenerator<string> {
  // One open folder for each part of the name under way, and nothing else in memory.
  async function* below(name: string): AsyncGenerator<string> {
    let isRepository = false;
    for await (const entry of entriesOf(name)) {
      const child = name === '' ? entry.name : `${name}/${entry.name}`;
      if (entry.name === '_manifests') isRepository = entry.isDirectory();
      if (entry.name.startsWith('_')) continue;
      if (entry.isDirectory() && isRepositoryName(child)) yield* below(child);
      else onProblem({ what: child, reason: reasonOf(entry.isDirectory(), entry.isSymbolicLink(), child) });
    }
    if (isRepository) yield name;
  }

  async function* entriesOf(name: string) {
    try {
      yield* root.list(name === '' ? base : `${base}/${name}`);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      onProblem({ what: name, reason: error.message });
    }
  }
  yield* below('');
}

function reasonOf(isFolder: boolean, isLink: boolean, name: string): string {
  if (isLink) return 'it is a symbolic link, and none is followed';
  if (!isFolder) return 'it is no folder, as a repository would be';
  return name.length > LONGEST_NAME
    ? 'its name is longer than 255 characters'
    : 'this cannot be the name of a repository';
}

function isSchema1(bytes: Buffer): boolean {
  try {
    return (JSON.parse(bytes.toString()) as { schemaVersion?: unknown } | null)?.schemaVersion === 1;
  } catch {
    return false;
  }
}
