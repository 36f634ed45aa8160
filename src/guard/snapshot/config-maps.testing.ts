import { KubernetesError } from '../../kubernetes/errors.ts';
import type { KubernetesClient } from '../../kubernetes/kubernetes-client.ts';

interface Stored {
  metadata: { name: string; resourceVersion: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

/** ConfigMaps of one namespace in memory, as an API server keeps them. `failAfter` writes the API server is gone. */
export function configMaps() {
  const objects = new Map<string, Stored>();
  const state = { objects, failAfter: Number.POSITIVE_INFINITY, writes: [] as string[], reads: 0 };
  let version = 0;

  function write(name: string): void {
    if (state.writes.length >= state.failAfter) throw new KubernetesError('unreachable', 'gone');
    state.writes.push(name);
    version += 1;
  }
  function held(path: string): Stored {
    const object = objects.get(nameOf(path));
    if (!object) throw new KubernetesError('not_found', path);
    return object;
  }
  const client: Pick<KubernetesClient, 'get' | 'create' | 'patch' | 'remove' | 'read'> = {
    async get(path) {
      state.reads += 1;
      return structuredClone(held(path));
    },
    async create(_path, object) {
      const { metadata } = object as Stored;
      if (objects.has(metadata.name)) throw new KubernetesError('conflict', 'exists');
      write(metadata.name);
      objects.set(metadata.name, {
        ...structuredClone(object as Stored),
        metadata: { ...metadata, resourceVersion: String(version) },
      });
      return object;
    },
    async patch(path, patch) {
      const object = held(path);
      const { metadata, ...rest } = patch as Partial<Stored>;
      if (metadata?.resourceVersion !== undefined && metadata.resourceVersion !== object.metadata.resourceVersion)
        throw new KubernetesError('conflict', 'newer');
      write(object.metadata.name);
      Object.assign(object, rest);
      object.metadata.resourceVersion = String(version);
      return object;
    },
    async remove(path) {
      held(path);
      objects.delete(nameOf(path));
    },
    async read(_path, { query }) {
      const [key = '', value] = (query['labelSelector'] ?? '').split(',').at(-1)?.split('=') ?? [];
      const items = [...objects.values()].filter(({ metadata }) => metadata.labels?.[key] === value);
      return {
        mediaType: 'application/json',
        body: (async function* () {
          yield Buffer.from(JSON.stringify({ items: items.map(({ metadata }) => ({ metadata })) }));
        })(),
      };
    },
  };
  return { ...state, state, client: client as KubernetesClient };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
