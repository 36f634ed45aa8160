import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { DatabaseState } from '../db/unchanged.ts';
import type { Digest } from '../oci/digest.ts';
import { type QuarantineHit, quarantineSentence } from '../policy/quarantine.ts';
import { packagesOf } from './held-packages.ts';
import { createInForce, type Entry } from './in-force.ts';
import { means } from './target.ts';

/** A stored manifest. */
interface Place {
  readonly repositoryId: string;
  readonly digest: Digest;
}

const NOTHING: ReadonlyMap<string, readonly QuarantineHit[]> = new Map();

/** Answers what is under quarantine, from what is in force and what is stored; `state` tells when that may have changed. */
export function createQuarantineAnswers({ db, state }: { readonly db: Db; readonly state: DatabaseState }) {
  const inForce = createInForce({ db, state });
  return {
    /** A text that is another one after every change of what is under quarantine. */
    async revision(): Promise<string> {
      return (await inForce()).revision;
    },

    /** True while any package is: what was not looked into may then hold it. */
    async concernsPackages(): Promise<boolean> {
      return (await inForce()).packages.length > 0;
    },

    /** Quarantines of these manifests by digest: of themselves, of their configurations and layers, and of packages found in them. */
    async hitsOf(manifests: readonly Place[]): Promise<ReadonlyMap<string, readonly QuarantineHit[]>> {
      const { digests, packages } = await inForce();
      if (digests.size + packages.length === 0 || manifests.length === 0) return NOTHING;
      const hits = new Map<string, Map<string, QuarantineHit>>();
      const add = (digest: string, hit: QuarantineHit): void => {
        const own = hits.get(digest) ?? new Map<string, QuarantineHit>();
        own.set(`${hit.id} ${hit.package?.name ?? ''} ${hit.package?.version ?? ''}`, hit);
        hits.set(digest, own);
      };
      if (digests.size > 0)
        for (const { manifest, entry } of await contentsUnder(db, manifests, digests)) add(manifest, entry);
      if (packages.length > 0) {
        const held = await packagesOf(
          db,
          manifests.map(({ digest }) => digest),
          packages.map(({ target }) => target),
        );
        for (const { digest, pkg } of held)
          for (const { target, entry } of packages)
            if (means(target, pkg)) add(digest, { ...entry, package: { name: pkg.name, version: pkg.version } });
      }
      return new Map([...hits].map(([digest, own]) => [digest, [...own.values()]]));
    },

    /** Why content of one of these digests may neither come in nor go out; undefined: it may. */
    async refusalOf(
      contents: readonly string[],
    ): Promise<{ readonly digest: string; readonly sentence: string } | undefined> {
      const { digests } = await inForce();
      if (digests.size === 0) return undefined;
      for (const digest of contents) {
        const entry = digests.get(digest);
        if (entry) return { digest, sentence: quarantineSentence(entry) };
      }
      return undefined;
    },
  };
}

async function contentsUnder(
  db: Db,
  manifests: readonly Place[],
  digests: ReadonlyMap<string, Entry>,
): Promise<readonly { readonly manifest: string; readonly entry: Entry }[]> {
  const found: { manifest: string; entry: Entry }[] = [];
  const note = (manifest: string, digest: string): void => {
    const entry = digests.get(digest);
    if (entry) found.push({ manifest, entry });
  };
  for (const { digest } of manifests) note(digest, digest);
  for (const [repositoryId, own] of Map.groupBy(manifests, (manifest) => manifest.repositoryId))
    for (const batch of batches(own.map(({ digest }) => digest))) {
      const rows = await db
        .selectFrom('manifest_blobs')
        .select(['manifest_digest', 'blob_digest'])
        .where('repository_id', '=', repositoryId)
        .where('manifest_digest', 'in', batch)
        .execute();
      for (const row of rows) note(row.manifest_digest, row.blob_digest);
    }
  return found;
}
