import { actorOf, nameOf, type Principal } from '../auth/principal.ts';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { addEvents, type NewEvent } from '../notify/outbox.ts';
import { canonicalJson } from '../oci/canonical.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { changesBetween, type FieldChange } from '../policy/policy-fields.ts';
import {
  EMPTY_LAYER,
  layerDocument,
  looserThanLocked,
  type PolicyLayer,
  resolvePolicy,
} from '../policy/policy-layer.ts';
import { senseless } from '../policy/policy-sense.ts';
import { type ShortForm, shortFormFields } from '../policy/short-form.ts';
import { type EffectivePolicy, effectiveOf } from './effective-policy.ts';
import { ProjectError } from './errors.ts';
import { editLayer, invalid, type PolicyEdit, parseLayer } from './policy-edit.ts';
import {
  INSTALLATION,
  type InForce,
  inForce,
  layerOf,
  newestNumber,
  type VersionState,
  versionStates,
  versionsOf,
} from './policy-rows.ts';

/** One numbered, immutable policy document of a project or the installation. */
export interface PolicyVersion {
  readonly version: number;
  /** What it says of its own; the rest is inherited. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly author: string;
  readonly reason: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Until then it only warns; absent when it counted at once. Epoch ms. */
  readonly effectiveFrom?: number;
  readonly state: VersionState;
  /** What is different from the version before. */
  readonly changes: readonly FieldChange[];
}

export type { EffectivePolicy } from './effective-policy.ts';

/** Whose policy: a project's, or the installation's that counts where a project says nothing. */
export type PolicyOwner = { readonly id: string; readonly name: string } | 'installation';

/** Why a policy changes, and from when on. */
export interface PolicyReason {
  readonly reason: string;
  /** Until then it only warns; absent: at once. Epoch ms. */
  readonly effectiveFrom?: number | undefined;
}

export interface PolicyWritten {
  readonly version: number;
  readonly changed: boolean;
}

const LONGEST_REASON = 2000;
const REMEMBERED = 10_000;
const FARTHEST_MS = 3650 * 86_400_000;

/** Keeps policies: numbered over the whole installation, never changed, with author and reason. */
export type PolicyStore = ReturnType<typeof createPolicyStore>;

export function createPolicyStore(deps: { readonly db: Db; readonly clock: Clock; readonly ledger: Ledger }) {
  const { db, clock, ledger } = deps;
  /** By project, with the newest number that could concern it: one cheap read tells whether it still holds, on any replica. */
  const remembered = new Map<
    string,
    { readonly newest: number; readonly until: number; readonly effective: EffectivePolicy }
  >();

  async function write(
    by: Principal,
    owner: PolicyOwner,
    make: (newest: PolicyLayer) => PolicyLayer,
    why: PolicyReason,
  ) {
    const { reason, effectiveFrom } = why;
    checkReason(why, clock.now());
    return db.transaction().execute(async (tx): Promise<PolicyWritten> => {
      // Numbers are given out one after the other: two documents must never share one.
      await ledger.serialise(tx);
      const rows = await versionsOf(tx, keyOf(owner));
      const [last] = rows;
      const before = last ? layerOf(last) : EMPTY_LAYER;
      const layer = make(before);
      const [was, is] = [layerDocument(before), layerDocument(layer)];
      const isSameMoment =
        effectiveFrom === undefined
          ? !last || versionStates(rows, clock.now())[0] === 'in force'
          : last?.effective_from === effectiveFrom;
      if (canonicalJson(was) === canonicalJson(is) && isSameMoment)
        return { version: last?.version ?? 0, changed: false };
      const installation = owner === 'installation' ? undefined : await versionsOf(tx, INSTALLATION);
      check(layer, installation && inForce(installation, clock.now()));
      const row: Row<'policies'> = {
        project_id: keyOf(owner),
        version: (await newestNumber(tx)) + 1,
        document: JSON.stringify(Object.keys(is).length === 0 ? null : is),
        author: nameOf(by),
        reason,
        created_at: clock.now(),
        effective_from: effectiveFrom ?? null,
      };
      await tx.insertInto('policies').values(row).execute();
      await addEvents(tx, [
        policyChanged(owner, row, { previous: last?.version ?? null, own: Object.keys(is).length > 0 }),
      ]);
      await ledger.append(tx, {
        actor: actorOf(by),
        action: Object.keys(is).length === 0 ? 'policy.inherit' : 'policy.set',
        target: owner === 'installation' ? 'installation' : `project/${owner.name}`,
        details: {
          version: row.version,
          before: last?.version ?? null,
          reason,
          ...(effectiveFrom === undefined ? {} : { effectiveFrom: toRfc3339(effectiveFrom) }),
          ...(Object.keys(is).length === 0 ? {} : { policy: is }),
        },
      });
      return { version: row.version, changed: true };
    });
  }

  async function readEffective(
    projectId: string,
    newest: number,
  ): Promise<{ effective: EffectivePolicy; until: number }> {
    const now = clock.now();
    const installation = inForce(await versionsOf(db, INSTALLATION), now);
    const project = projectId === INSTALLATION ? undefined : inForce(await versionsOf(db, projectId), now);
    const effective = effectiveOf(installation, project, newest);
    return { effective, until: effective.coming[0]?.from ?? Number.POSITIVE_INFINITY };
  }

  async function effectivePolicy(projectId: string): Promise<EffectivePolicy> {
    const newest = await newestNumber(db, [projectId, INSTALLATION]);
    const known = remembered.get(projectId);
    if (known?.newest === newest && clock.now() < known.until) return known.effective;
    const { effective, until } = await readEffective(projectId, newest);
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(projectId, { newest, until, effective });
    return effective;
  }

  async function versionLayer(owner: PolicyOwner, version: number): Promise<PolicyLayer> {
    const row = (await versionsOf(db, keyOf(owner))).find((one) => one.version === version);
    if (!row) {
      const name = owner === 'installation' ? 'the installation' : `project "${owner.name}"`;
      throw new ProjectError(
        'policy_unknown',
        `${name} has no policy version of that number; see: breakwater policy history`,
      );
    }
    return layerOf(row);
  }

  return {
    /** What counts for a project now: field by field its own word, else the installation's, else what is built in. */
    effectivePolicy,

    /** What counts where a project says nothing. */
    installationPolicy: (): Promise<EffectivePolicy> => effectivePolicy(INSTALLATION),

    /**
     * Makes the next version of a policy from a document of any fields; the same document again makes none. Throws
     * `ProjectError('policy_invalid')` for a document or a reason that cannot be. Stored verdicts are judged again by the caller.
     */
    set: (by: Principal, owner: PolicyOwner, document: unknown, why: PolicyReason): Promise<PolicyWritten> =>
      write(by, owner, () => parseLayer(document), why),

    /** The same with single fields changed, of the newest version there is. */
    edit: (by: Principal, owner: PolicyOwner, edit: PolicyEdit, why: PolicyReason): Promise<PolicyWritten> =>
      write(by, owner, (newest) => editLayer(newest, edit), why),

    /** `--block high` and `--warn critical`. */
    async setShort(by: Principal, owner: { id: string; name: string }, short: ShortForm, why: PolicyReason) {
      const { policy } = await effectivePolicy(owner.id);
      const set = Object.fromEntries(shortFormFields(short, policy));
      return write(by, owner, (newest) => editLayer(newest, { set }), why);
    },

    /**
     * The document that `set`, `setShort` and `edit` would make of the newest one, one after the other, checked like one that is kept.
     * Nothing is written.
     */
    async draft(
      owner: PolicyOwner,
      {
        document,
        short = {},
        set,
      }: { readonly document?: unknown; readonly short?: ShortForm; readonly set?: PolicyEdit['set'] },
    ): Promise<Readonly<Record<string, unknown>>> {
      const [last] = await versionsOf(db, keyOf(owner));
      const newest = last ? layerOf(last) : EMPTY_LAYER;
      const base = document === undefined ? newest : parseLayer(document);
      const { policy } = await effectivePolicy(keyOf(owner));
      const layer = editLayer(base, { set: { ...Object.fromEntries(shortFormFields(short, policy)), ...set } });
      check(layer, owner === 'installation' ? undefined : inForce(await versionsOf(db, INSTALLATION), clock.now()));
      return layerDocument(layer);
    },

    /** Puts an older document in place again, as a new version. Throws `ProjectError('policy_unknown')`. */
    async rollBack(by: Principal, owner: PolicyOwner, version: number, why: PolicyReason): Promise<PolicyWritten> {
      const layer = await versionLayer(owner, version);
      return write(by, owner, () => layer, why);
    },

    /** Every version a project (or the installation) ever had, newest first. */
    async history(owner: PolicyOwner): Promise<PolicyVersion[]> {
      const rows = await versionsOf(db, keyOf(owner));
      const states = versionStates(rows, clock.now());
      const documents = rows.map((row) => layerDocument(layerOf(row)));
      return rows.map((row, at) => ({
        version: row.version,
        document: documents[at] ?? {},
        author: row.author,
        reason: row.reason,
        createdAt: row.created_at,
        ...(row.effective_from === null ? {} : { effectiveFrom: row.effective_from }),
        state: states[at] ?? 'past',
        changes: changesBetween(documents[at + 1] ?? {}, documents[at] ?? {}),
      }));
    },
  };
}

function keyOf(owner: PolicyOwner): string {
  return owner === 'installation' ? INSTALLATION : owner.id;
}

function checkReason({ reason, effectiveFrom }: PolicyReason, now: number): void {
  if (reason.trim() === '' || reason.length > LONGEST_REASON)
    throw new ProjectError(
      'policy_invalid',
      `a change of policy needs a reason of at most ${LONGEST_REASON} characters`,
    );
  if (effectiveFrom === undefined) return;
  if (!Number.isFinite(effectiveFrom)) throw new ProjectError('policy_invalid', 'effectiveFrom: no moment');
  if (!(effectiveFrom > now))
    throw new ProjectError(
      'policy_invalid',
      `effectiveFrom: ${toRfc3339(effectiveFrom)} is past; leave it out to let the policy count at once`,
    );
  if (effectiveFrom > now + FARTHEST_MS)
    throw new ProjectError('policy_invalid', `effectiveFrom: ${toRfc3339(effectiveFrom)} is more than ten years ahead`);
}

/** Throws `ProjectError('policy_invalid')` for what each field allows and the whole does not. */
function check(layer: PolicyLayer, installation: InForce | undefined): void {
  if (installation && layer.locked.size > 0)
    throw invalid('locked: only the installation can lock fields; leave it out of a project');
  const above = [installation?.current, installation?.coming?.layer].filter((one) => one !== undefined);
  const looser = above.flatMap((one) => looserThanLocked(one, layer));
  if (looser.length > 0) throw invalid([...new Set(looser)].join('; '));
  const { policy } = installation ? resolvePolicy(installation.current, layer) : resolvePolicy(layer);
  const odd = senseless(policy);
  if (odd.length > 0) throw invalid(odd.join('; '));
}

function policyChanged(
  owner: PolicyOwner,
  { version, author, reason, created_at: at, effective_from: from }: Row<'policies'>,
  more: { readonly previous: number | null; readonly own: boolean },
): NewEvent {
  const name = owner === 'installation' ? owner : owner.name;
  return {
    type: 'POLICY_CHANGED',
    subject: `policy/${name}`,
    ...(owner === 'installation' ? {} : { project: name }),
    at,
    data: {
      owner: name,
      version,
      ...more,
      by: author,
      reason,
      ...(from === null ? {} : { effectiveFrom: toRfc3339(from) }),
    },
  };
}
