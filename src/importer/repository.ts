import type { BoundedMap } from '../auth/bounded-map.ts';
import type { Digest } from '../oci/digest.ts';
import { type Descriptor, type ParsedManifest, parseManifest } from '../oci/manifest.ts';
import { isForeignLayer, isManifestType } from '../oci/media-types.ts';
import { CodedError, messageOf } from '../platform/errors.ts';
import { ImportError } from './errors.ts';
import type { ImportDeps, ImportOptions } from './options.ts';
import type { ImportedManifest, PutBlob } from './ports.ts';
import type { ImportReport } from './report.ts';

interface Scope {
  readonly repository: string;
  /** Its name at the target. */
  readonly here: string;
  readonly report: ImportReport;
  /** Repository at the target that has a blob. */
  readonly homes: BoundedMap<string>;
  readonly limit: <Result>(task: () => Promise<Result>) => Promise<Result>;
}

const DEEPEST = 8;
/** Signatures of bills of materials of images: referrers have referrers. */
const DEEPEST_REFERRERS = 3;
const REFERRERS_TAG = /^sha(?:256|512)-[0-9a-f]{64}$/;

type OnFailure = (digest: Digest, error: unknown) => void;

/** Imports of one repository. Each manifest and blob is brought once, whoever asks for it at the same time. */
export function createRepositoryImport(deps: ImportDeps, options: ImportOptions, scope: Scope) {
  const { source, target, patience } = deps;
  const { repository, here, report, homes, limit } = scope;
  const manifests = new Map<Digest, Promise<void>>();
  const blobs = new Map<Digest, Promise<void>>();

  const read = async (digest: Digest) => {
    const manifest = await patience('source', () => source.manifest(repository, digest));
    return { manifest, parsed: parseManifest(manifest.content, manifest.mediaType) };
  };

  async function put(manifest: ImportedManifest, tag: string | undefined): Promise<void> {
    if (!options.dryRun) await patience('target', () => target.putManifest(here, manifest, tag));
    if (tag !== undefined) report.tags.imported += 1;
  }

  /** The manifest with all below it, under the tag if there is one. */
  async function importManifest(digest: Digest, tag?: string, depth = 0): Promise<void> {
    const known = manifests.get(digest);
    const bringing = known ?? bring(digest, tag, depth);
    manifests.set(digest, bringing);
    await bringing;
    if (known && tag !== undefined) await put((await read(digest)).manifest, tag);
  }

  async function bring(digest: Digest, tag: string | undefined, depth: number): Promise<void> {
    if (depth > DEEPEST) throw new ImportError('damaged', `indexes are nested more than ${DEEPEST} deep`);
    const present = (await patience('target', () => target.find(here, digest))) !== undefined;
    if (present && tag === undefined) {
      report.manifests.present += 1;
      return;
    }
    const { manifest, parsed } = await read(digest);
    if (present) report.manifests.present += 1;
    else {
      await bringContent(parsed, depth);
      report.manifests.imported += 1;
    }
    await put(manifest, tag);
  }

  async function bringContent(parsed: ParsedManifest, depth: number): Promise<void> {
    for (const child of parsed.children) {
      // BuildKit's cache indexes list layers.
      if (isManifestType(child.mediaType)) await below(child, importManifest(child.digest, undefined, depth + 1));
      else await importBlob(child);
    }
    const layers = parsed.layers.filter((layer) => !isForeignLayer(layer.mediaType));
    const wanted = [...(parsed.config ? [parsed.config] : []), ...layers];
    const ends = await Promise.allSettled(wanted.map(importBlob));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  function importBlob(blob: Descriptor): Promise<void> {
    const known = blobs.get(blob.digest);
    if (known) return known;
    const bringing = limit(() => patience('both', () => bringBlob(blob)));
    blobs.set(blob.digest, bringing);
    return bringing;
  }

  async function bringBlob(blob: Descriptor): Promise<void> {
    const { digest } = blob;
    if (await target.hasBlob(here, digest)) report.blobs.present += 1;
    else count(options.dryRun ? await plan(blob) : await target.putBlob(here, digest, from(blob)));
    homes.set(digest, here);
    options.onProgress();
  }

  const from = (blob: Descriptor) => ({
    home: homes.get(blob.digest),
    blob: () => source.blob(repository, blob),
  });

  /** What would be done, without a look into the content. */
  async function plan(blob: Descriptor): Promise<PutBlob> {
    if (homes.get(blob.digest) !== undefined) return { how: 'mounted' };
    await source.blob(repository, blob);
    return { how: 'sent', size: blob.size };
  }

  function count(put: PutBlob): void {
    const { blobs: counts } = report;
    if (put.how === 'mounted') {
      counts.mounted += 1;
      return;
    }
    if (put.how === 'linked') counts.linked += 1;
    counts.imported += 1;
    report.bytes += put.size;
  }

  /** What is about a manifest, and about what is about it. The subject is there already, so that nothing waits for itself. */
  async function importReferrers(subject: Digest, onFailure: OnFailure, depth = 0): Promise<void> {
    const { referrers } = source;
    if (!referrers || depth >= DEEPEST_REFERRERS) return;
    for (const digest of await patience('source', () => referrers(repository, subject))) {
      try {
        await importManifest(digest);
        await importReferrers(digest, onFailure, depth + 1);
      } catch (error) {
        onFailure(digest, error);
      }
    }
  }

  return {
    importManifest,
    /** True when this manifest was asked for before, with or without success. */
    tried: (digest: Digest) => manifests.has(digest),

    /**
     * A tag with its image and what refers to it. `onFailure` gets what failed beside the tag itself; throws what keeps the tag away.
     */
    async importTag(tag: string, onFailure: OnFailure): Promise<void> {
      const digest = await patience('source', () => source.digestOf(repository, tag));
      const present = (await patience('target', () => target.find(here, tag))) === digest;
      const parsed = source.referrers || REFERRERS_TAG.test(tag) ? (await read(digest)).parsed : undefined;
      if (present) report.tags.present += 1;
      else if (parsed && isReferrersList(tag, parsed)) await importList(parsed, digest, tag, onFailure);
      else await importManifest(digest, tag);
      for (const subject of [digest, ...(parsed?.children ?? []).map((child) => child.digest)])
        await importReferrers(subject, onFailure);
    },
  };

  /** A list of referrers as clients keep it for registries without one: what it lists counts by its own subject, so one that is lost loses no other. */
  async function importList(list: ParsedManifest, digest: Digest, tag: string, onFailure: OnFailure): Promise<void> {
    let failed = 0;
    for (const child of list.children) {
      try {
        await importManifest(child.digest);
      } catch (error) {
        failed += 1;
        onFailure(child.digest, error);
      }
    }
    if (failed === 0) return importManifest(digest, tag);
    throw new ImportError(
      'missing',
      `it lists ${failed} that cannot be imported; the others are, and are found by their subject`,
    );
  }
}

/** Waits for what a manifest lists; what keeps that away keeps the manifest away. */
async function below({ digest }: Descriptor, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof CodedError) || (error instanceof ImportError && error.code === 'gave_up')) throw error;
    throw new ImportError('missing', `it lists ${digest}, which cannot be imported: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function isReferrersList(tag: string, parsed: ParsedManifest): boolean {
  return REFERRERS_TAG.test(tag) && parsed.kind === 'index' && parsed.children.length > 0;
}
