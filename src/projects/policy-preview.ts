import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Clock } from '../platform/clock.ts';
import { type EffectivePolicy, effectiveOf } from './effective-policy.ts';
import { INSTALLATION, inForce, newestNumber, storedDocument, versionsOf } from './policy-rows.ts';

/** A document that is to be as if its owner, a project (id) or the installation (empty), had put it in place now. */
export interface DraftPolicy {
  readonly owner: string;
  readonly document: Readonly<Record<string, unknown>>;
  /** What then waits for its moment, epoch ms. */
  readonly coming?: { readonly document: Readonly<Record<string, unknown>>; readonly from: number };
}

/** What would count for projects with a draft in place. Reads only. */
export function previewPolicies({ db, clock }: { readonly db: Db; readonly clock: Clock }, draft: DraftPolicy) {
  async function versions(owner: string): Promise<Row<'policies'>[]> {
    const kept = await versionsOf(db, owner);
    return owner === draft.owner ? [...(await asNewest(db, draft, clock.now())), ...kept] : kept;
  }

  return {
    async effectivePolicy(projectId: string): Promise<EffectivePolicy> {
      const now = clock.now();
      const installation = inForce(await versions(INSTALLATION), now);
      const project = inForce(await versions(projectId), now);
      const concerned = draft.owner === INSTALLATION || draft.owner === projectId;
      const version = await newestNumber(db, [projectId, INSTALLATION]);
      return effectiveOf(
        installation,
        project,
        concerned ? (await newestNumber(db)) + (draft.coming ? 2 : 1) : version,
      );
    },
  };
}

/** The rows that keeping the draft would make, newest first. */
async function asNewest(db: Db, { owner, document, coming }: DraftPolicy, now: number): Promise<Row<'policies'>[]> {
  const version = (await newestNumber(db)) + 1;
  const row: Row<'policies'> = {
    project_id: owner,
    version,
    document: storedDocument(document),
    author: '',
    reason: '',
    created_at: now,
    effective_from: null,
  };
  if (!coming) return [row];
  const { document: waiting, from } = coming;
  return [{ ...row, version: version + 1, document: storedDocument(waiting), effective_from: from }, row];
}
