import type { Db } from '../db/database.ts';
import { cacheWhileUnchanged, type DatabaseState } from '../db/unchanged.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobGate, Caller, GateDecision, PullGate } from '../registry/ports.ts';
import type { PolicySource } from './ports.ts';
import { asSubject, type Subject, selectSubjects } from './subjects.ts';

const SERVE: GateDecision = { kind: 'serve', warnings: [] };
/** Bytes kept of which repositories are gated, and what one takes beside its name. */
const KEPT = { limit: 1024 * 1024, weigh: () => 256 };

/**
 * Blobs of projects that set `gateBlobs`: served when one of the manifests of that repository they are part of is, or when they are
 * part of none, as while an image is being pushed.
 */
export function createBlobGate(deps: {
  readonly db: Db;
  readonly state: DatabaseState;
  readonly policies: PolicySource;
  readonly gate: PullGate;
}): BlobGate {
  const { db, gate, policies } = deps;
  const gated = cacheWhileUnchanged<boolean>(deps.state, KEPT);

  async function isGated(repository: string): Promise<boolean | undefined> {
    const found = await db
      .selectFrom('repositories')
      .select('project_id')
      .where('name', '=', repository)
      .executeTakeFirst();
    return found && (await policies.effectivePolicy(found.project_id)).policy.gateBlobs;
  }

  return {
    async decide(repository, digest, caller) {
      if ((await gated.get(repository, () => isGated(repository))) !== true) return SERVE;
      // Whoever may take what is refused is on record for the manifest.
      const asAnybody: Caller = { name: caller.name, may: (...what) => caller.may(...what), bypassesGate: false };
      let refused: GateDecision | undefined;
      for (const manifest of await holdersOf(db, repository, digest)) {
        const decision = await gate.decide(manifest, asAnybody);
        if (decision.kind === 'serve') return SERVE;
        if (!caller.bypassesGate || decision.quarantined) refused ??= decision;
      }
      return refused ?? SERVE;
    },
  };
}

async function holdersOf(db: Db, repository: string, digest: Digest): Promise<readonly Subject[]> {
  const rows = await selectSubjects(db)
    .innerJoin('manifest_blobs as b', (join) =>
      join.onRef('b.repository_id', '=', 'm.repository_id').onRef('b.manifest_digest', '=', 'm.digest'),
    )
    .where('r.name', '=', repository)
    .where('b.blob_digest', '=', digest)
    .distinct()
    .execute();
  return rows.map(asSubject);
}
