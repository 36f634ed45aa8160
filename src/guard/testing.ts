import { Readable } from 'node:stream';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';

type Json = Record<string, unknown>;

/** An API server in memory for single objects: versions, conflicts, merge patches and lists merged by `name`. */
export interface ObjectStore extends KubernetesClient {
  readonly objects: Map<string, Json>;
  /** Every write that went through, oldest first: method and path. */
  readonly writes: string[];
  /** While set, every call fails with it. */
  away: KubernetesError | undefined;
  /** Paths that may not be changed. */
  readonly refused: Set<string>;
  /** Answers `create` with `dryRun` instead of storing. */
  dryRun: (object: Json) => Json;
}

export function objectStore(): ObjectStore {
  const objects = new Map<string, Json>();
  const writes: string[] = [];
  let version = 0;

  function stored(path: string, object: Json): Json {
    version += 1;
    const metadata = { uid: `uid-${path}`, ...(object['metadata'] as Json), resourceVersion: String(version) };
    const kept = structuredClone({ ...object, metadata });
    objects.set(path, kept);
    return structuredClone(kept);
  }
  function existing(path: string): Json {
    if (store.away) throw store.away;
    const found = objects.get(path);
    if (!found) throw new KubernetesError('not_found', `${path} answered 404`);
    return found;
  }
  const store: ObjectStore = {
    objects,
    writes,
    away: undefined,
    refused: new Set(),
    dryRun: (object) => object,
    get: async (path) => structuredClone(existing(path)),
    async create(path, object) {
      if (store.away) throw store.away;
      const body = object as Json;
      if (path.includes('dryRun=All')) return store.dryRun(body);
      const name = `${path}/${String((body['metadata'] as Json)['name'])}`;
      if (objects.has(name)) throw new KubernetesError('conflict', `${name} exists`);
      writes.push(`POST ${name}`);
      return stored(name, body);
    },
    async patch(path, patch) {
      const before = existing(path);
      if (store.refused.has(path)) throw new KubernetesError('denied', `${path} answered 403`);
      const wanted = ((patch as Json)['metadata'] as Json | undefined)?.['resourceVersion'];
      const held = (before['metadata'] as Json)['resourceVersion'];
      if (wanted !== undefined && wanted !== held) throw new KubernetesError('conflict', `${path} was changed`);
      writes.push(`PATCH ${path}`);
      return stored(path, merged(before, patch) as Json);
    },
    async remove(path) {
      existing(path);
      objects.delete(path);
      writes.push(`DELETE ${path}`);
    },
    read: async (path) => ({
      mediaType: 'application/json',
      body: Readable.from([Buffer.from(JSON.stringify(existing(path)))]),
    }),
    stream: async () => [][Symbol.iterator]() as unknown as AsyncIterable<Uint8Array>,
    close: async () => undefined,
  };
  return store;
}

function merged(before: unknown, patch: unknown): unknown {
  if (Array.isArray(patch) && Array.isArray(before)) return mergedByName(before as Json[], patch as Json[]);
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Json = typeof before === 'object' && before !== null ? { ...(before as Json) } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function mergedByName(before: readonly Json[], patch: readonly Json[]): unknown[] {
  return before.map((one) => merged(one, patch.find(({ name }) => name === one['name']) ?? {}));
}
