import type { Db } from '../db/database.ts';
import { cacheWhileUnchanged, type DatabaseState } from '../db/unchanged.ts';
import type { Finding } from '../model/finding.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Clock } from '../platform/clock.ts';
import { applyVex, createVexWeighing, vexIdsOf } from '../scanner/vex/apply.ts';
import type { Weighing } from '../scanner/vex/weigh.ts';
import { digestsOfImage, subjectOf } from './image.ts';
import type { VexPlace } from './ports.ts';
import { isAnyNamed, type KeptStatement, objectionFor, statementsAbout } from './statements.ts';

export interface VexSourceDeps {
  readonly db: Db;
  readonly clock: Clock;
  /** Of the tables of VEX. */
  readonly state: DatabaseState;
  /** Hosts (with port) under which images of this registry are referred to. */
  readonly hosts: readonly string[];
}

/** Findings of one image. */
export interface Weighed {
  readonly place: VexPlace;
  readonly findings: readonly Finding[];
  readonly inventory: Pick<Inventory, 'packages'>;
  /** Authors as the policy has them. */
  readonly order: readonly string[];
}

const KEPT = { limit: 64 * 1024, weigh: () => 64 };

/** What declared authors say of stored images. */
export type VexSource = ReturnType<typeof createVexSource>;

export function createVexSource({ db, clock, state, hosts }: VexSourceDeps) {
  const known = cacheWhileUnchanged<'some' | 'none'>(state, KEPT);

  /** Most projects have no VEX at all, and need not be asked about each image. */
  async function hasAny(projectId: string): Promise<boolean> {
    const answer = await known.get(projectId, async () => {
      const row = await db
        .selectFrom('vex_documents')
        .select('id')
        .where('project_id', 'in', ['', projectId])
        .where('author_id', 'is not', null)
        .where('withdrawn_at', 'is', null)
        .limit(1)
        .executeTakeFirst();
      return row ? 'some' : 'none';
    });
    return answer === 'some';
  }

  return {
    /** The same findings, marked where a statement counts. `order`: authors as the policy has them. */
    async mark(
      place: VexPlace,
      findings: readonly Finding[],
      inventory: Pick<Inventory, 'packages'>,
      order: readonly string[],
    ): Promise<readonly Finding[]> {
      if (findings.length === 0 || !(await hasAny(place.projectId))) return findings;
      const ids = [...new Set(findings.flatMap(vexIdsOf))];
      // Most images have nothing that anybody speaks of.
      if (!(await isAnyNamed(db, ids))) return findings;
      const digests = await digestsOfImage(db, place);
      const wanted = { projectId: place.projectId, ids, digests };
      const statements = await statementsAbout(db, wanted, 'signed', clock.now());
      const subject = subjectOf(place, digests, inventory, hosts);
      return applyVex(findings, statements, subject, { order, objectionTo: objectionFor(place, digests) });
    },

    /** What was said of these findings, with what became of it: by declared authors, or by anybody. */
    async weigh(
      { place, findings, inventory, order }: Weighed,
      which: 'signed' | 'all',
    ): Promise<readonly { readonly finding: Finding; readonly weighing: Weighing<KeptStatement> }[]> {
      const digests = await digestsOfImage(db, place);
      const ids = [...new Set(findings.flatMap(vexIdsOf))];
      const statements = await statementsAbout(db, { projectId: place.projectId, ids, digests }, which, clock.now());
      const subject = subjectOf(place, digests, inventory, hosts);
      const weighing = createVexWeighing(statements, subject, { order, objectionTo: objectionFor(place, digests) });
      return findings.map((finding) => ({ finding, weighing: weighing(finding) }));
    },
  };
}
