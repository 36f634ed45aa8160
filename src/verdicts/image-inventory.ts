import type { BlobStore } from '../blobs/blob-store.ts';
import { type Db, unsynced } from '../db/database.ts';
import type { NewRow } from '../db/schema.ts';
import { statement } from '../db/statement.ts';
import type { CoverageGap, Inventory } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { readBounded } from '../platform/streams.ts';
import { type BlobReference, manifestBlobs } from '../registry/manifest-reader.ts';
import { type ImageConfig, parseImageConfig, stepsOfLayers } from '../scanner/image-config.ts';
import { closedLayer } from '../scanner/layers/closed.ts';
import { VerdictError } from './errors.ts';
import { saveInventory } from './inventory-store.ts';
import type { Again, LayerAnalyses } from './layer-analyses.ts';
import type { LayerAnalyser } from './ports.ts';
import { stackLayers } from './stack-layers.ts';
import { storableInventory } from './storable-inventory.ts';
import type { Subject } from './subjects.ts';

const LARGEST_CONFIG = 4 * 1024 * 1024;

export interface ImageInventoryDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly blobs: Pick<BlobStore, 'open'>;
  readonly analyser: LayerAnalyser;
  readonly layers: LayerAnalyses;
}

/** What became of the analysis of an image manifest. */
export interface ImageState {
  readonly status: 'ready' | 'failed';
  readonly inventory?: string;
  /** As the image's configuration says. */
  readonly platform?: string;
  readonly error?: string;
  /** Epoch ms. */
  readonly updatedAt: number;
}

/** An inventory that was just stored, as it is read again. */
export interface MadeInventory {
  readonly hash: string;
  readonly inventory: Inventory;
}

/** State of an image's analysis; undefined until it has ended once. */
export async function imageState(db: Db, digest: Digest): Promise<ImageState | undefined> {
  const [row] = (await selectImage(db, { digest })).rows;
  if (!row) return undefined;
  return {
    status: row.status as ImageState['status'],
    ...(row.inventory_hash === null ? {} : { inventory: row.inventory_hash }),
    ...(row.platform === null ? {} : { platform: row.platform }),
    ...(row.error === null ? {} : { error: row.error }),
    updatedAt: row.updated_at,
  };
}

const selectImage = statement((db, { digest }: { readonly digest: Digest }) =>
  db.selectFrom('images').selectAll().where('digest', '=', digest),
);

/**
 * Sees to it that an image has an inventory by the present analyser, and tells whether it replaced that of an older one; `made` when nobody
 * had it before. With `again` its layers are read again first, unless it was put together since. The outcome, good or bad, is written
 * down. Throws what kept it from being analysed; an inventory that was there before stays in use then.
 */
export async function ensureInventory(
  deps: ImageInventoryDeps,
  subject: Subject,
  again?: Again,
): Promise<{ readonly renewed: boolean; readonly made?: MadeInventory }> {
  const { db, analyser } = deps;
  const state = await imageState(db, subject.digest);
  const asWished = again === undefined || (state?.updatedAt ?? 0) > again.since;
  if (asWished && state?.inventory !== undefined && (await analyserOf(db, state.inventory)) === analyser.version)
    return { renewed: false };
  const previous = state?.inventory;
  try {
    const { inventory: composed, platform } = await composeImage(deps, subject, again);
    const inventory = storableInventory(composed);
    const hash = analyser.hashOf(inventory);
    const now = deps.clock.now();
    const kept = await unsynced(db)
      .transaction()
      .execute(async (tx) => {
        const saved = await saveInventory(tx, hash, inventory, now);
        await writeState(tx, subject.digest, {
          status: 'ready',
          inventory: hash,
          ...(platform === undefined ? {} : { platform }),
          updatedAt: now,
        });
        return saved;
      });
    return { renewed: previous !== undefined, ...(kept ? { made: { hash, inventory: kept } } : {}) };
  } catch (error) {
    const state = { status: 'failed', error: messageOf(error), updatedAt: deps.clock.now() } as const;
    const absent = error instanceof VerdictError && error.code === 'layer_absent';
    if (previous === undefined && !absent) await writeState(db, subject.digest, state);
    throw error;
  }
}

async function composeImage(
  deps: ImageInventoryDeps,
  subject: Subject,
  again: Again | undefined,
): Promise<{ readonly inventory: Inventory; readonly platform: string | undefined }> {
  const { config, layers } = await manifestBlobs(deps.db, subject.repositoryId, subject.digest);
  const readable = layers.filter((layer) => unreadable(layer) === undefined);
  if (again) for (const layer of readable) await deps.layers.renew(layer, again);
  const { inventory: stacked, partial } = await stackLayers(deps, readable);
  const configuration = await configOf(deps, config);
  const composed = { ...stacked, ...stepsOf(configuration, layers) };
  const platform = configuration && isPlatformText(configuration.platform) ? configuration.platform : undefined;
  const closed = layers.flatMap((layer) => unreadable(layer) ?? []);
  if (closed.length + partial.length === 0) return { inventory: composed, platform };
  const unexplained = composed.complete
    ? partial.map((digest) => gap(digest, 'it is no file system layer in a known compression'))
    : [];
  const inventory = { ...composed, complete: false, gaps: [...composed.gaps, ...closed, ...unexplained] };
  return { inventory, platform };
}

const PLATFORM = /^[a-z0-9_.-]+(?:\/[a-z0-9_.-]+){1,3}$/;

/** Whatever else an image says of itself is no platform. */
function isPlatformText(text: string): boolean {
  return text.length <= 64 && PLATFORM.test(text);
}

/** The configuration of the image; undefined when it cannot be had: it only helps people, and narrows exceptions. */
async function configOf(
  { blobs }: ImageInventoryDeps,
  config: BlobReference | undefined,
): Promise<ImageConfig | undefined> {
  if (!config || config.size > LARGEST_CONFIG) return undefined;
  const content = await blobs.open(config.digest).catch(() => undefined);
  return parseImageConfig(
    content && (await readBounded(content, LARGEST_CONFIG, 'the configuration').catch(() => undefined)),
  );
}

/** Which build step made each layer; nothing when the configuration does not say. */
function stepsOf(config: ImageConfig | undefined, layers: readonly BlobReference[]): Pick<Inventory, 'layers'> {
  const steps = config ? stepsOfLayers(config, layers.length) : [];
  if (steps.every((step) => step === undefined)) return {};
  return {
    layers: layers.map(({ digest }, at) => ({ digest, ...(steps[at] === undefined ? {} : { createdBy: steps[at] }) })),
  };
}

function unreadable({ digest, mediaType }: BlobReference): CoverageGap | undefined {
  const why = closedLayer(mediaType);
  return why === undefined ? undefined : gap(digest, why);
}

function gap(layer: Digest, why: string): CoverageGap {
  return { kind: 'unsupported-layer', layer, message: `layer ${layer} could not be read: ${why}` };
}

async function analyserOf(db: Db, hash: string): Promise<string | undefined> {
  return (await selectAnalyser(db, { hash })).rows[0]?.analyser;
}

const selectAnalyser = statement((db, { hash }: { readonly hash: string }) =>
  db.selectFrom('inventories').select('analyser').where('hash', '=', hash),
);

async function writeState(db: Db, digest: Digest, state: ImageState): Promise<void> {
  await upsertImage(db, {
    digest,
    status: state.status,
    inventory_hash: state.inventory ?? null,
    platform: state.platform ?? null,
    error: state.error ?? null,
    updated_at: state.updatedAt,
  });
}

const upsertImage = statement((db, image: NewRow<'images'>) => {
  const { digest, status, inventory_hash, platform, error, updated_at } = image;
  const row = { status, inventory_hash, platform, error, updated_at };
  return db
    .insertInto('images')
    .values({ digest, ...row })
    .onConflict((conflict) => conflict.column('digest').doUpdateSet(row));
});
