import { CodedError } from '../platform/errors.ts';
import { type Digest, DigestError, parseDigest } from './digest.ts';
import {
  isIndexType,
  isManifestType,
  isRunnableConfig,
  isStatementLayer,
  MANIFEST_MEDIA_TYPES,
  OCI_ARTIFACT_MANIFEST,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-types.ts';
import { JsonError, parseStrictJson } from './strict-json.ts';

/** The registry refuses larger manifests (distribution-spec, "Pushing Manifests": at least 4 MiB must be possible). */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;
const MOST_DESCRIPTORS = 10_000;

export class ManifestError extends CodedError<'manifest_invalid'> {}

/** `image` can run, `index` points to other manifests, `artifact` is everything else (signature, SBOM, chart …). */
export type ManifestKind = 'image' | 'index' | 'artifact';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** A descriptor in an index. `platform` is `os/architecture[/variant]`. */
export interface ChildDescriptor extends Descriptor {
  readonly platform?: string;
}

/** What the registry needs to know of a manifest; the bytes stay as they are. */
export interface ParsedManifest {
  readonly kind: ManifestKind;
  readonly mediaType: string;
  /** As the referrers list shows it: the manifest's own, else the config's media type, else absent. */
  readonly artifactType?: string;
  readonly config?: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly children: readonly ChildDescriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Reads an image manifest, index or artifact manifest. `contentType` is the media type it was sent with; without it the
 * manifest's own `mediaType` counts, else its form. Unknown members are allowed, ambiguous ones are not (names that differ
 * from known ones in case only, `manifests` beside `layers`). Throws `ManifestError` for everything else.
 */
export function parseManifest(bytes: Uint8Array, contentType?: string): ParsedManifest {
  if (bytes.byteLength > MANIFEST_LIMIT) throw invalid(`it is larger than ${MANIFEST_LIMIT} bytes`);
  let value: unknown;
  try {
    value = parseStrictJson(bytes);
  } catch (error) {
    if (error instanceof JsonError) throw invalid(error.message, error);
    throw error;
  }
  const manifest = objectAt(value, 'the manifest');
  if (manifest['schemaVersion'] !== undefined && manifest['schemaVersion'] !== 2) {
    throw invalid('schemaVersion must be 2; convert images of schema 1 and push them again');
  }
  const mediaType = mediaTypeOfManifest(manifest, contentType);
  const shared = {
    mediaType,
    ...optional('subject', manifest['subject'], descriptorAt),
    ...optional('annotations', manifest['annotations'], annotationsAt),
  };
  if (isIndexType(mediaType)) return { ...shared, ...indexParts(manifest) };
  if (mediaType === OCI_ARTIFACT_MANIFEST) return { ...shared, ...artifactParts(manifest) };
  return { ...shared, ...imageParts(manifest) };
}

function mediaTypeOfManifest(manifest: JsonObject, contentType: string | undefined): string {
  const own = manifest['mediaType'];
  if (own !== undefined && typeof own !== 'string') throw invalid('mediaType must be a string');
  if (own && contentType !== undefined && own !== contentType)
    throw invalid(`its mediaType is "${own.slice(0, 100)}", but it was sent as "${contentType.slice(0, 100)}"`);
  const mediaType = contentType ?? (own || (manifest['manifests'] === undefined ? OCI_MANIFEST : OCI_INDEX));
  if (!isManifestType(mediaType))
    throw invalid(`"${mediaType.slice(0, 100)}" is not a manifest type; use one of ${MANIFEST_MEDIA_TYPES.join(', ')}`);
  return mediaType;
}

type Parts = Omit<ParsedManifest, 'mediaType' | 'subject' | 'annotations'>;

function indexParts(manifest: JsonObject): Parts {
  forbid(manifest, ['config', 'layers', 'blobs'], 'an index');
  const children = listAt(manifest['manifests'], 'manifests').map((entry, at) => {
    const where = `manifests[${at}]`;
    return { ...descriptorAt(entry, where), ...optional('platform', objectAt(entry, where)['platform'], platformAt) };
  });
  return { kind: 'index', layers: [], children, ...ownArtifactType(manifest) };
}

function imageParts(manifest: JsonObject): Parts {
  forbid(manifest, ['manifests', 'blobs', 'fsLayers'], 'an image manifest');
  const config = descriptorAt(manifest['config'], 'config');
  const layers = listAt(manifest['layers'], 'layers').map((entry, at) => descriptorAt(entry, `layers[${at}]`));
  const own = ownArtifactType(manifest);
  return {
    kind: isImage(config, layers) ? 'image' : 'artifact',
    artifactType: own.artifactType ?? config.mediaType,
    config,
    layers,
    children: [],
  };
}

/** A config that runtimes accept, unless all "layers" are statements: signatures and attestations borrow it. */
function isImage(config: Descriptor, layers: readonly Descriptor[]): boolean {
  if (!isRunnableConfig(config.mediaType)) return false;
  return layers.length === 0 || layers.some((layer) => !isStatementLayer(layer.mediaType));
}

function artifactParts(manifest: JsonObject): Parts {
  forbid(manifest, ['manifests', 'config', 'layers'], 'an artifact manifest');
  const blobs = manifest['blobs'] === undefined ? [] : listAt(manifest['blobs'], 'blobs');
  const layers = blobs.map((entry, at) => descriptorAt(entry, `blobs[${at}]`));
  return { kind: 'artifact', layers, children: [], ...ownArtifactType(manifest) };
}

function ownArtifactType(manifest: JsonObject): { artifactType?: string } {
  const type = manifest['artifactType'];
  if (type === undefined || type === '') return {};
  if (typeof type !== 'string' || type.length > 255) throw invalid('artifactType must be a media type');
  return { artifactType: type };
}

function forbid(manifest: JsonObject, names: readonly string[], what: string): void {
  for (const name of names)
    if (manifest[name] !== undefined && manifest[name] !== null)
      throw invalid(`${what} has no member "${name}"; readers would disagree what it is`);
}

function descriptorAt(value: unknown, where: string): Descriptor {
  const entry = objectAt(value, where);
  const { mediaType, digest, size } = entry;
  if (typeof mediaType !== 'string' || mediaType.length > 255) throw invalid(`${where}.mediaType must be a media type`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${where}.size must be a number of bytes`);
  return { mediaType, digest: digestAt(digest, `${where}.digest`), size };
}

function digestAt(value: unknown, where: string): Digest {
  try {
    return parseDigest(typeof value === 'string' ? value : '');
  } catch (error) {
    if (error instanceof DigestError) throw invalid(`${where}: ${error.message}`, error);
    throw error;
  }
}

function platformAt(value: unknown, where: string): string {
  const { os, architecture, variant } = objectAt(value, where);
  const parts = variant === undefined || variant === '' ? [os, architecture] : [os, architecture, variant];
  if (!parts.every((part) => typeof part === 'string' && part.length <= 64))
    throw invalid(`${where} must name os and architecture`);
  return parts.join('/');
}

function annotationsAt(value: unknown, where: string): Record<string, string> {
  const annotations = objectAt(value, where, ANY_NAMES);
  for (const text of Object.values(annotations))
    if (typeof text !== 'string') throw invalid(`${where} must hold strings only`);
  return annotations as Record<string, string>;
}

function listAt(value: unknown, where: string): readonly unknown[] {
  // Go writes an empty list that was never filled as null.
  if (value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${where} must be a list`);
  if (value.length > MOST_DESCRIPTORS) throw invalid(`${where} has more than ${MOST_DESCRIPTORS} entries`);
  return value;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Members that readers act upon. Go's decoder takes any case for them, so only the exact one may occur. */
const KNOWN_NAMES: ReadonlyMap<string, string> = new Map(
  `schemaVersion mediaType artifactType config layers manifests blobs fsLayers subject annotations
   digest size urls data platform os architecture variant`
    .split(/\s+/)
    .map((name) => [fold(name), name]),
);
const ANY_NAMES: ReadonlyMap<string, string> = new Map();

function objectAt(value: unknown, where: string, known = KNOWN_NAMES): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${where} must be an object`);
  for (const name of Object.keys(value)) {
    const exact = known.get(fold(name));
    if (exact !== undefined && exact !== name)
      throw invalid(`${where} has a member "${name.slice(0, 100)}"; write it as "${exact}"`);
  }
  return value as JsonObject;
}

/** Case folding as in Go's encoding/json: also the long s and the Kelvin sign are letters of other names. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

function optional<Name extends string, Value>(
  name: Name,
  value: unknown,
  read: (value: unknown, where: string) => Value,
): { readonly [key in Name]?: Value } {
  if (value === undefined || value === null) return {};
  return { [name]: read(value, name) } as { readonly [key in Name]?: Value };
}

function invalid(reason: string, cause?: unknown): ManifestError {
  return new ManifestError('manifest_invalid', `the manifest is not valid: ${reason}`, cause ? { cause } : undefined);
}
