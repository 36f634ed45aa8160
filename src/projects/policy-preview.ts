import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Clock } from '../platform/clock.ts';
import { type EffectivePolicy, effectiveOf } from './effective-policy.ts';
import { INSTALLATION, inForce, newestNumber, versionsOf } from './policy-rows.ts';

/** A document that is to be as if its owner, a project (id) or the installation (empty), had put it in place now. */
export interface DraftPolicy {
  readonly owner: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/** What would count for projects with a draft in place. Reads only. */
export function previewPolicies({ db, clock }: { readonly db: Db; readonly clock: Clock }, draft: DraftPolicy) {
  async function versions(owner: string): Promise<Row<'policies'>[]> {
    const kept = await versionsOf(db, owner);
    return owner === draft.owner ? [await asNewest(db, draft, clock.now()), ...kept] : kept;
  }

  return {
    async effectivePolicy(projectId: string): Promise<EffectivePolicy> {
      const now = clock.now();
      const installation = inForce(await versions(INSTALLATION), now);
      const project = inForce(await versions(projectId), now);
      const concerned = draft.owner === INSTALLATION || draft.owner === projectId;
      const version = await newestNumber(db, [projectId, INSTALLATION]);
      return effectiveOf(installation, project, concerned ? (await newestNumber(db)) + 1 : version);
    },
  };
}

/** The row that keeping the draft would make. */
async function asNewest(db: Db, { owner, document }: DraftPolicy, now: number): Promise<Row<'policies'>> {
  return {
    project_id: owner,
    version: (await newestNumber(db)) + 1,
    document: JSON.stringify(Object.keys(document).length === 0 ? null : document),
    author: '',
    reason: '',
    created_at: now,
    effective_from: null,
  };
}
