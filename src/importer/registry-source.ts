import { UpstreamError } from '../mirror/errors.ts';
import { readReferrers } from '../mirror/referrers.ts';
import type { RegistryClient } from '../mirror/registry-client.ts';
import type { Digest } from '../oci/digest.ts';
import { isRepositoryName, isTag } from '../oci/reference.ts';
import { ImportError } from './errors.ts';
import type { Patience } from './patience.ts';
import type { ImportSource, Problem } from './ports.ts';

export interface RegistrySourceOptions {
  /** Only repositories below this, `team` or `team/sub`; empty for all. */
  readonly prefix: string;
  /** Names instead of the registry's catalogue. */
  readonly names: readonly string[] | undefined;
  readonly patience: Patience;
  readonly onProblem: (problem: Problem) => void;
}

type Client = Pick<
  RegistryClient,
  'host' | 'listRepositories' | 'listTags' | 'headManifest' | 'getManifest' | 'getReferrers' | 'getBlob'
>;

/** A registry that runs as a source of images: what its tags name, and what refers to that. Calls throw `UpstreamError` too. */
export function createRegistrySource(
  client: Client,
  { prefix, names, patience, onProblem }: RegistrySourceOptions,
): ImportSource {
  const patiently = <Result>(work: () => Promise<Result>) => patience('source', work);
  const isWanted = (name: string) => prefix === '' || name === prefix || name.startsWith(`${prefix}/`);

  async function* catalogue(): AsyncGenerator<string> {
    try {
      yield* client.listRepositories(patiently);
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.code === 'unavailable') throw error;
      throw new ImportError(
        'source_unusable',
        `${error.message}. Give the names of its repositories with --repositories FILE, or an account that may list them with --source-user`,
        { cause: error },
      );
    }
  }

  async function required(repository: string, reference: string) {
    const manifest = await client.getManifest(repository, reference);
    if (!manifest) throw new ImportError('missing', `${client.host} does not have the manifest ${reference}`);
    if (manifest.mediaType.startsWith('application/vnd.docker.distribution.manifest.v1'))
      throw new ImportError('refused', 'it is of schema 1, which nothing current pulls; build it anew, or leave it');
    return manifest;
  }

  return {
    async *repositories() {
      for await (const name of names ?? catalogue()) {
        if (!isRepositoryName(name)) onProblem({ what: name, reason: 'this cannot be the name of a repository' });
        else if (isWanted(name)) yield name;
      }
    },
    async *tags(repository) {
      for await (const tag of client.listTags(repository, patiently)) {
        if (isTag(tag)) yield tag;
        else onProblem({ what: `${repository}:${tag}`, reason: 'this cannot be a tag' });
      }
    },
    async referrers(repository, subject) {
      const index = await client.getReferrers(repository, subject);
      return index === undefined ? [] : readReferrers(index).map(({ digest }) => digest as Digest);
    },
    async digestOf(repository, tag) {
      // HEAD is not counted as a pull by those who count.
      const head = await client.headManifest(repository, tag);
      return head?.digest ?? (await required(repository, tag)).digest;
    },
    manifest: required,
    async blob(repository, { digest, size }) {
      return {
        async open() {
          const blob = await client.getBlob(repository, digest);
          if (!blob) throw new ImportError('missing', `${client.host} does not have the blob ${digest}`);
          return { size: blob.size ?? size, content: blob.content };
        },
      };
    },
  };
}
