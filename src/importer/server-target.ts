import type { RegistryClient } from '../mirror/registry-client.ts';
import type { ByteSource } from '../platform/streams.ts';
import { ImportError } from './errors.ts';
import type { ImportTarget } from './ports.ts';

/** A running server as the target, through its distribution API: what is imported is checked, judged and counted like any push. */
export function createServerTarget(
  client: Pick<RegistryClient, 'headManifest' | 'hasBlob' | 'mountOrPutBlob' | 'putManifest'>,
  requireProject: ImportTarget['requireProject'],
): ImportTarget {
  return {
    requireProject,
    async find(repository, reference) {
      return (await client.headManifest(repository, reference))?.digest;
    },
    hasBlob: (repository, digest) => client.hasBlob(repository, digest),
    async putBlob(repository, digest, { home, blob }) {
      let size = 0;
      let fault: unknown;
      try {
        const how = await client.mountOrPutBlob(repository, digest, home, async () => {
          const opened = await (await blob()).open();
          size = opened.size;
          return { size, content: watched(opened.content, (error) => (fault = error)) };
        });
        return how === 'mounted' ? { how } : { how, size };
      } catch (error) {
        // A request whose body fails looks like a connection that broke: the source's own words say more.
        throw fault instanceof ImportError ? fault : error;
      }
    },
    async putManifest(repository, { digest, mediaType, content }, tag) {
      await client.putManifest(repository, tag ?? digest, mediaType, content);
    },
  };
}

async function* watched(content: ByteSource, onFault: (error: unknown) => void): ByteSource {
  try {
    yield* content;
  } catch (error) {
    onFault(error);
    throw error;
  }
}
