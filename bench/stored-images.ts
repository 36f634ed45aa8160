import type { DatabaseHandle } from '../src/db/database.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { canonicalHash } from '../src/oci/canonical.ts';
import { digestOf } from '../src/oci/digest.ts';
import { systemClock } from '../src/platform/clock.ts';
import { saveInventory } from '../src/verdicts/inventory-store.ts';
import { inventories } from './rematch-inventories.ts';

export const REPOSITORIES = 50;

/** Stores so many images with their inventories and an empty first verdict, in repositories of one project. Gives the number of packages. */
export async function storeImages({ db }: DatabaseHandle, count: number): Promise<number> {
  const at = systemClock.now();
  let packages = 0;
  await db
    .insertInto('projects')
    .values({ id: 'p', name: 'p', public: 0, created_by: 'bench', created_at: at })
    .execute();
  for (let number = 0; number < REPOSITORIES; number += 1)
    await db
      .insertInto('repositories')
      .values({ id: `r${number}`, project_id: 'p', name: `p/r${number}`, created_at: at })
      .execute();
  let number = 0;
  const all = inventories(count);
  for (let stored = 0; stored < count; stored += 200)
    await db.transaction().execute(async (tx) => {
      for (let batch = 0; batch < 200; batch += 1) {
        const next = all.next();
        if (next.done) return;
        const inventory = next.value;
        packages += inventory.packages.length;
        const hash = canonicalHash(inventory);
        await saveInventory(tx, hash, inventory, at);
        const digest = digestOf(`image ${number}`);
        const repository_id = `r${number % REPOSITORIES}`;
        await tx
          .insertInto('images')
          .values({ digest, status: 'ready', inventory_hash: hash, error: null, updated_at: at })
          .execute();
        await tx
          .insertInto('manifests')
          .values({
            repository_id,
            digest,
            media_type: 'application/vnd.oci.image.manifest.v1+json',
            kind: 'image',
            artifact_type: null,
            size: 2,
            content: Buffer.from('{}'),
            subject: null,
            annotations: null,
            created_by: 'bench',
            created_at: at,
          })
          .execute();
        await tx
          .insertInto('verdicts')
          .values({
            repository_id,
            digest,
            kind: 'allow',
            document: JSON.stringify(nothingKnown(digest)),
            advisories: '',
            policy_version: 1,
            judged_at: at,
            changes_at: null,
          })
          .execute();
        number += 1;
      }
    });
  return packages;
}

function nothingKnown(subject: Verdict['subject']): Verdict {
  return {
    kind: 'allow',
    subject,
    reasons: [],
    counts: { total: 0, fixable: 0, suppressed: 0, bySeverity: {} as Verdict['counts']['bySeverity'] },
    inputs: { inventory: '', advisories: '', policy: 1, exceptions: '', vex: '', clocks: '' },
    judgedAt: 0,
  };
}
