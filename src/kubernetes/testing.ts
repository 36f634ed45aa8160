import { KubernetesError } from './errors.ts';
import type { KubernetesClient } from './kubernetes-client.ts';

/** An API server in memory for tests: collections by path, status patches kept, pages of the size asked for or `page`. */
export interface FakeCluster extends KubernetesClient {
  readonly collections: Map<string, Record<string, unknown>[]>;
  readonly patches: { path: string; patch: unknown }[];
  /** Paths that answer with an error. */
  readonly failing: Map<string, KubernetesError>;
  /** How many patches are still refused with a conflict. */
  conflicts: number;
}

export function fakeCluster(page = 2): FakeCluster {
  const collections = new Map<string, Record<string, unknown>[]>();
  const failing = new Map<string, KubernetesError>();
  const patches: { path: string; patch: unknown }[] = [];
  const cluster: FakeCluster = {
    collections,
    failing,
    patches,
    conflicts: 0,
    async get(path, query = {}) {
      const failure = failing.get(path);
      if (failure) throw failure;
      const items = collections.get(path);
      if (items === undefined && query['limit'] !== undefined) throw new KubernetesError('not_found', 'no such kind');
      if (items === undefined) return { metadata: { resourceVersion: '7' }, status: { byPod: [{ id: 'z' }] } };
      const start = Number(query['continue'] ?? 0);
      const end = start + page;
      const rest = end < items.length ? { continue: String(end) } : {};
      return { metadata: { resourceVersion: '7', ...rest }, items: items.slice(start, end) };
    },
    create: async (_path, object) => object,
    async patch(path, patch) {
      if (cluster.conflicts > 0) {
        cluster.conflicts -= 1;
        throw new KubernetesError('conflict', 'somebody else was faster');
      }
      patches.push({ path, patch });
      return { metadata: { resourceVersion: '8' }, status: { byPod: [{ id: 'guard-0' }] } };
    },
    remove: async () => undefined,
    async read(path, { query, signal }) {
      // Nothing ever changes here.
      if (query['watch'] !== undefined) return { mediaType: 'application/json', body: silence(signal) };
      const reply = Buffer.from(JSON.stringify(await cluster.get(path, query)));
      return { mediaType: 'application/json', body: [reply].values() as unknown as AsyncIterable<Uint8Array> };
    },
    stream: async () => [][Symbol.iterator]() as unknown as AsyncIterable<Uint8Array>,
    close: async () => undefined,
  };
  return cluster;
}

async function* silence(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
  yield* [];
}
