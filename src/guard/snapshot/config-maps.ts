import { z } from 'zod';
import { KubernetesError } from '../../kubernetes/errors.ts';
import type { KubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { messageOf } from '../../platform/errors.ts';
import { readBounded } from '../../platform/streams.ts';
import type { Chunk } from './chunks.ts';
import { SnapshotError } from './errors.ts';

const NAME = 'breakwater-guard-snapshot';
const LABELS = { 'app.kubernetes.io/managed-by': 'breakwater', 'breakwater/snapshot': 'chunk' };
const SELECTOR = Object.entries(LABELS)
  .map(([key, value]) => `${key}=${value}`)
  .join(',');
const LARGEST_LIST = 16 * 1024 * 1024;

const chunkName = z.string().regex(/^[0-9a-f]{32}$/);
const contents = z.object({
  /** Epoch ms. */
  writtenAt: z.number().int().nonnegative(),
  /** The pieces of each part. */
  parts: z
    .record(z.string().max(200), z.array(chunkName).min(1).max(100))
    .refine((parts) => Object.keys(parts).length <= 2000, 'too many parts'),
});
/** What a whole snapshot consists of. */
export type Contents = z.output<typeof contents>;

const manifestSchema = z.object({ format: z.literal(1), current: contents, previous: contents.optional() });
/** The newest whole snapshot, and the one before it, whose pieces are kept until there is another. */
export type Manifest = z.output<typeof manifestSchema>;

const manifestObject = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  data: z.looseObject({ manifest: z.string().max(1_000_000) }).optional(),
});
const chunkObject = z.looseObject({ binaryData: z.looseObject({ chunk: z.string().max(1_400_000) }).optional() });
const listedSchema = z.looseObject({
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })).nullish(),
});

/** Where pieces and manifest of a snapshot lie: ConfigMaps of the guard's namespace. All throw `KubernetesError`. */
export interface SnapshotMaps {
  /**
   * Undefined when there is none; `manifest` is undefined when it cannot be read, with the reason as `problem`. The version has to be given
   * when the next one is written.
   */
  readManifest(): Promise<
    { readonly version: string; readonly manifest: Manifest | undefined; readonly problem?: string } | undefined
  >;
  /** Throws `conflict` when another replica has written one since the version was read. */
  writeManifest(manifest: Manifest, version: string | undefined): Promise<void>;
  /** Throws also `SnapshotError`: `replaced` when it is gone, `damaged` when it holds no piece. */
  readChunk(name: string): Promise<Chunk>;
  writeChunk(chunk: Chunk): Promise<void>;
  removeChunk(name: string): Promise<void>;
  listChunks(): Promise<string[]>;
}

export function createSnapshotMaps(client: KubernetesClient, namespace: string): SnapshotMaps {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;
  const chunkPath = (name: string): string => `${path}/${NAME}-${name}`;

  return {
    async readManifest() {
      const object = await orUndefined(client.get(`${path}/${NAME}`));
      if (object === undefined) return undefined;
      const parsed = manifestObject.safeParse(object);
      if (!parsed.success) return { version: '', manifest: undefined, problem: 'it is no ConfigMap of a guard' };
      const version = parsed.data.metadata.resourceVersion;
      try {
        return { version, manifest: manifestSchema.parse(JSON.parse(parsed.data.data?.manifest ?? '')) };
      } catch (error) {
        return {
          version,
          manifest: undefined,
          problem: `its manifest cannot be read: ${messageOf(error).slice(0, 300)}`,
        };
      }
    },
    async writeManifest(manifest, version) {
      const data = { manifest: JSON.stringify(manifest) };
      if (version !== undefined) {
        await client.patch(`${path}/${NAME}`, { metadata: { resourceVersion: version }, data });
        return;
      }
      const labels = { 'app.kubernetes.io/managed-by': 'breakwater' };
      await client.create(path, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME, labels }, data });
    },
    async readChunk(name) {
      const object = await orUndefined(client.get(chunkPath(name)));
      if (object === undefined) throw new SnapshotError('replaced', `piece ${name} is gone`);
      const text = chunkObject.safeParse(object).data?.binaryData?.chunk;
      if (text === undefined) throw new SnapshotError('damaged', `piece ${name} is empty`);
      return { name, bytes: Buffer.from(text, 'base64') };
    },
    async writeChunk({ name, bytes }) {
      const object = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `${NAME}-${name}`, labels: LABELS },
        immutable: true,
        binaryData: { chunk: bytes.toString('base64') },
      };
      try {
        await client.create(path, object);
      } catch (error) {
        if (!(error instanceof KubernetesError) || error.code !== 'conflict') throw error;
        // There is one of this name, with this content or with what somebody made of it; what is immutable is made anew.
        const held = await this.readChunk(name).catch(() => undefined);
        if (held && held.bytes.equals(bytes)) return;
        await this.removeChunk(name);
        await client.create(path, object);
      }
    },
    async removeChunk(name) {
      await orUndefined(client.remove(chunkPath(name)));
    },
    async listChunks() {
      const { body } = await client.read(path, {
        query: { labelSelector: SELECTOR },
        accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
      });
      const list = listedSchema.parse(
        JSON.parse((await readBounded(body, LARGEST_LIST, 'the pieces')).toString('utf8')),
      );
      return (list.items ?? []).flatMap(({ metadata: { name } }) =>
        name.startsWith(`${NAME}-`) ? [name.slice(NAME.length + 1)] : [],
      );
    },
  };
}

async function orUndefined<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof KubernetesError && error.code === 'not_found') return undefined;
    throw error;
  }
}
