import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { RegistryClient } from '../../mirror/registry-client.ts';
import { type Digest, digestFrom, digestOf, tryParseDigest } from '../../oci/digest.ts';
import { messageOf } from '../../platform/errors.ts';
import { schemaOfFile } from '../../scanner/advisories/database.ts';
import { TABLES_OF } from '../../scanner/advisories/schema.ts';
import type { AdvisoryDatabase } from '../../scanner/advisories/types.ts';
import { CliError } from '../exit.ts';

/** An advisory database in a registry: an artifact of this type with one layer, the packed database file. */
const ARTIFACT_TYPE = 'application/vnd.breakwater.advisories.v1';
const LAYER_TYPE = 'application/vnd.breakwater.advisories.sqlite.v1+zstd';
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const EMPTY = Buffer.from('{}');
const LARGEST_PACKED = 8 * 1024 * 1024 * 1024;

const ANNOTATIONS = {
  schema: 'io.breakwater.advisories.schema',
  version: 'io.breakwater.advisories.version',
  sources: 'io.breakwater.advisories.sources',
  created: 'org.opencontainers.image.created',
} as const;

const READ_SCHEMAS = [...TABLES_OF.keys()].map(String);

/** Where a database is or goes to. */
export interface ArtifactPlace {
  readonly client: RegistryClient;
  readonly repository: string;
  /** Tag or digest. */
  readonly reference: string;
}

/**
 * Pushes a packed database file as an OCI artifact (OCI image manifest 1.1 with `artifactType`), described by annotations:
 * schema, content version, time of the build, feeds. Throws `UpstreamError`.
 */
export async function pushArtifact(
  { client, repository, reference }: ArtifactPlace,
  file: string,
  database: Pick<AdvisoryDatabase, 'builtAt' | 'sources' | 'version' | 'path'>,
): Promise<{ readonly digest: Digest; readonly bytes: number }> {
  const { size } = await stat(file);
  const layer = await digestOfFile(file);
  if (!(await client.hasBlob(repository, layer))) await client.putBlob(repository, layer, size, createReadStream(file));
  const config = digestOf(EMPTY);
  if (!(await client.hasBlob(repository, config))) await client.putBlob(repository, config, EMPTY.length, once(EMPTY));
  const feeds = [...new Set(database.sources.map(({ feed }) => feed))].sort().join(',');
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: ARTIFACT_TYPE,
    config: { mediaType: EMPTY_TYPE, digest: config, size: EMPTY.length, data: EMPTY.toString('base64') },
    layers: [
      {
        mediaType: LAYER_TYPE,
        digest: layer,
        size,
        annotations: { 'org.opencontainers.image.title': 'advisories.sqlite.zst' },
      },
    ],
    annotations: {
      [ANNOTATIONS.created]: database.builtAt,
      [ANNOTATIONS.schema]: String(schemaOfFile(database.path)),
      [ANNOTATIONS.version]: database.version,
      [ANNOTATIONS.sources]: feeds.slice(0, 10_000),
    },
  };
  const content = Buffer.from(JSON.stringify(manifest));
  await client.putManifest(repository, reference, MANIFEST_TYPE, content);
  return { digest: digestOf(content), bytes: size };
}

const manifestSchema = z.object({
  artifactType: z.literal(ARTIFACT_TYPE),
  layers: z
    .array(z.object({ mediaType: z.literal(LAYER_TYPE), digest: z.string(), size: z.number().int().positive() }))
    .length(1),
  annotations: z.record(z.string(), z.string()),
});

/**
 * Fetches the packed database file of an artifact to `to`, which must not exist. Its schema is looked at before anything is
 * fetched, its digest while it arrives. Gives the content version that the manifest promises, which the caller has to compare
 * with the file's. Throws `UpstreamError`, `CliError('failed')`.
 */
export async function pullArtifact(
  { client, repository, reference }: ArtifactPlace,
  to: string,
): Promise<{ readonly version: string; readonly digest: Digest }> {
  const found = await client.getManifest(repository, reference);
  const where = `${client.host}/${repository}:${reference}`;
  if (!found) throw new CliError('failed', `there is no ${where}`);
  const { layers, annotations } = readManifest(found.content, where);
  const schema = annotations[ANNOTATIONS.schema];
  if (!READ_SCHEMAS.includes(schema ?? '')) {
    throw new CliError(
      'failed',
      `${where} has schema ${schema}, this program reads schemas ${READ_SCHEMAS.join(' and ')}: pull one that this version pushed`,
    );
  }
  const [layer] = layers;
  const digest = tryParseDigest(layer?.digest ?? '');
  if (!layer || !digest || layer.size > LARGEST_PACKED) throw new CliError('failed', `${where} has no usable layer`);
  const blob = await client.getBlob(repository, digest);
  if (!blob) throw new CliError('failed', `${client.host} has no blob ${digest} in ${repository}`);
  const hash = createHash('sha256');
  let bytes = 0;
  async function* checked(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      bytes += chunk.byteLength;
      if (bytes > (layer?.size ?? 0)) break;
      hash.update(chunk);
      yield chunk;
    }
  }
  await pipeline(checked(blob.content), createWriteStream(to, { flags: 'wx', flush: true }));
  const actual = digestFrom('sha256', hash);
  if (bytes !== layer.size || actual !== digest) {
    throw new CliError('failed', `${client.host} gave ${bytes} bytes with ${actual} for the blob ${digest}`);
  }
  return { version: annotations[ANNOTATIONS.version] ?? '', digest: found.digest };
}

function readManifest(content: Buffer, where: string): z.infer<typeof manifestSchema> {
  try {
    return manifestSchema.parse(JSON.parse(content.toString('utf8')));
  } catch (cause) {
    const detail = cause instanceof z.ZodError ? (cause.issues[0]?.message ?? '') : messageOf(cause);
    throw new CliError('failed', `${where} is no advisory database: ${detail}`, { cause });
  }
}

async function digestOfFile(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  return digestFrom('sha256', hash);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
