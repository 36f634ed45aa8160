import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { statementOfRows } from '../db/statement.ts';
import { EMPTY_LAYER, type PolicyLayer, storedLayer } from '../policy/policy-layer.ts';

/** The owner of the policy that counts where a project says nothing. */
export const INSTALLATION = '';

/** A version that is to count from a moment on, epoch ms. */
export interface Waiting {
  readonly version: number;
  readonly layer: PolicyLayer;
  readonly from: number;
}

/** What counts of an owner's versions at a moment, and what is to come. */
export interface InForce {
  readonly current: PolicyLayer;
  /** Its number, and since when it counts, epoch ms; absent where no version does. */
  readonly version?: number;
  readonly since?: number;
  readonly coming?: Waiting;
}

/** Whether a version counts, is to come, or was replaced, before or after it did. */
export type VersionState = 'in force' | 'coming' | 'replaced' | 'past';

/**
 * What became of an owner's versions, newest first, at a moment. A version that is to come waits for its moment unless a newer
 * one is made before: that one replaces it for good.
 */
export function versionStates(
  rows: readonly Pick<Row<'policies'>, 'effective_from' | 'created_at'>[],
  now: number,
): VersionState[] {
  let found = false;
  return rows.map((row, at) => {
    const newer = rows[at - 1];
    const from = row.effective_from;
    if (from !== null && newer && newer.created_at < from) return 'replaced';
    if (from !== null && from > now) return 'coming';
    if (found) return 'past';
    found = true;
    return 'in force';
  });
}

/** The layers of an owner by its versions, newest first. */
export function inForce(rows: readonly Row<'policies'>[], now: number): InForce {
  const states = versionStates(rows, now);
  const current = rows[states.indexOf('in force')];
  const next = rows[states.indexOf('coming')];
  return {
    current: current ? layerOf(current) : EMPTY_LAYER,
    ...(current ? { version: current.version, since: current.effective_from ?? current.created_at } : {}),
    ...(next && next.effective_from !== null
      ? { coming: { version: next.version, layer: layerOf(next), from: next.effective_from } }
      : {}),
  };
}

export function layerOf({ document }: Pick<Row<'policies'>, 'document'>): PolicyLayer {
  return storedLayer(JSON.parse(document));
}

/** A document as a row holds it. */
export function storedDocument(document: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.keys(document).length === 0 ? null : document);
}

/** Every version of an owner, newest first. */
export async function versionsOf(db: Db, owner: string): Promise<Row<'policies'>[]> {
  return db.selectFrom('policies').selectAll().where('project_id', '=', owner).orderBy('version', 'desc').execute();
}

/** The newest number among owners, all unless told; 0 where none has a version. */
export async function newestNumber(db: Db, owners?: readonly string[]): Promise<number> {
  const rows =
    owners === undefined
      ? await selectNumbers(db).execute()
      : (
          await numbersAmong(
            db,
            owners.map((owner) => ({ owner })),
          )
        ).rows;
  return rows[0]?.version ?? 0;
}

const selectNumbers = (db: Db) => db.selectFrom('policies').select((eb) => eb.fn.max('version').as('version'));

const numbersAmong = statementOfRows((db, owners: readonly { readonly owner: string }[]) =>
  selectNumbers(db).where(
    'project_id',
    'in',
    owners.map(({ owner }) => owner),
  ),
);
