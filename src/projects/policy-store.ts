import { actorOf, nameOf, type Principal } from '../auth/principal.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { addEvents, type NewEvent } from '../notify/outbox.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { reasonProblem } from '../platform/reason.ts';
import { changesBetween, type FieldChange } from '../policy/policy-fields.ts';
import { layerDocument, type PolicyLayer } from '../policy/policy-layer.ts';
import { type ShortForm, shortFormFields } from '../policy/short-form.ts';
import { type EffectivePolicy, effectiveOf } from './effective-policy.ts';
import { ProjectError } from './errors.ts';
import { checkNext, edited, isThere, type Next } from './policy-change.ts';
import { editLayer, type PolicyEdit, parseLayer } from './policy-edit.ts';
import type { DraftPolicy } from './policy-preview.ts';
import {
  INSTALLATION,
  type InForce,
  inForce,
  layerOf,
  newestNumber,
  storedDocument,
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
  /** What is different from the version that counted before. */
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
    make: (standing: InForce) => Next,
    why: PolicyReason,
  ): Promise<PolicyWritten> {
    checkReason(why, clock.now());
    return db.transaction().execute(async (tx) => {
      // Numbers are given out one after the other: two documents must never share one.
      await ledger.serialise(tx);
      const rows = await versionsOf(tx, keyOf(owner));
      const standing = inForce(rows, clock.now());
      const next = make(standing);
      const { effectiveFrom } = why;
      if (isThere(standing, next, effectiveFrom)) return { version: rows[0]?.version ?? 0, changed: false };
      const installation = owner === 'installation' ? undefined : await versionsOf(tx, INSTALLATION);
      checkNext(next, installation && inForce(installation, clock.now()));
      const version = await put(tx, by, owner, { ...why, layer: next.layer, previous: standing.version });
      const { waits } = next;
      if (waits)
        await put(tx, by, owner, {
          reason: why.reason,
          layer: waits.layer,
          effectiveFrom: waits.from,
          previous: version,
        });
      return { version, changed: true };
    });
  }

  /** Makes one row of what was checked, with its event and its line in the ledger; gives its number. */
  async function put(
    tx: Tx,
    by: Principal,
    owner: PolicyOwner,
    made: PolicyReason & { readonly layer: PolicyLayer; readonly previous: number | undefined },
  ): Promise<number> {
    const { reason, effectiveFrom, previous = null } = made;
    const document = layerDocument(made.layer);
    const own = Object.keys(document).length > 0;
    const row: Row<'policies'> = {
      project_id: keyOf(owner),
      version: (await newestNumber(tx)) + 1,
      document: storedDocument(document),
      author: nameOf(by),
      reason,
      created_at: clock.now(),
      effective_from: effectiveFrom ?? null,
    };
    await tx.insertInto('policies').values(row).execute();
    await addEvents(tx, [policyChanged(owner, row, { previous, own })]);
    await ledger.append(tx, {
      actor: actorOf(by),
      action: own ? 'policy.set' : 'policy.inherit',
      target: owner === 'installation' ? 'installation' : `project/${owner.name}`,
      details: {
        version: row.version,
        before: previous,
        reason,
        ...(effectiveFrom === undefined ? {} : { effectiveFrom: toRfc3339(effectiveFrom) }),
        ...(own ? { policy: document } : {}),
      },
    });
    return row.version;
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

  /** What a version says. One that never counted is put in place with a moment only. */
  async function versionLayer(owner: PolicyOwner, version: number, isDated: boolean): Promise<PolicyLayer> {
    const rows = await versionsOf(db, keyOf(owner));
    const at = rows.findIndex((one) => one.version === version);
    const row = rows[at];
    if (!row) {
      const name = owner === 'installation' ? 'the installation' : `project "${owner.name}"`;
      throw new ProjectError(
        'policy_unknown',
        `${name} has no policy version of that number; see: breakwater policy history`,
      );
    }
    const state = versionStates(rows, clock.now())[at];
    if (!isDated && row.effective_from !== null && (state === 'coming' || state === 'replaced'))
      throw new ProjectError(
        'policy_waiting',
        `version ${version} never came into force: it was made to count from ${toRfc3339(row.effective_from)} on; ` +
          'say from when it is to count with --effective-from, or go back to a version that did count',
      );
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
      write(by, owner, ({ current }) => ({ layer: parseLayer(document), before: current }), why),

    /**
     * The same with single fields changed of what is in force, at once: a version that waits comes at its moment, with them. With a
     * moment it changes what waits for that very moment, if anything does; throws `ProjectError('policy_waiting')` for another one.
     */
    edit: (by: Principal, owner: PolicyOwner, edit: PolicyEdit, why: PolicyReason): Promise<PolicyWritten> =>
      write(by, owner, (standing) => edited(standing, edit, why.effectiveFrom), why),

    /** `--block high` and `--warn critical`. */
    async setShort(by: Principal, owner: { id: string; name: string }, short: ShortForm, why: PolicyReason) {
      const { policy } = await effectivePolicy(owner.id);
      const set = Object.fromEntries(shortFormFields(short, policy));
      return write(by, owner, (standing) => edited(standing, { set }, why.effectiveFrom), why);
    },

    /**
     * What `set`, `setShort` and `edit` would put in place now, one after the other, checked like what is kept. Nothing is written.
     */
    async draft(
      owner: PolicyOwner,
      {
        document,
        short = {},
        set,
      }: { readonly document?: unknown; readonly short?: ShortForm; readonly set?: PolicyEdit['set'] },
    ): Promise<DraftPolicy> {
      const now = clock.now();
      const standing = inForce(await versionsOf(db, keyOf(owner)), now);
      const { policy } = await effectivePolicy(keyOf(owner));
      const edit = { set: { ...Object.fromEntries(shortFormFields(short, policy)), ...set } };
      const next =
        document === undefined
          ? edited(standing, edit, undefined)
          : { layer: editLayer(parseLayer(document), edit), before: standing.current };
      checkNext(next, owner === 'installation' ? undefined : inForce(await versionsOf(db, INSTALLATION), now));
      const { layer, waits } = next;
      return {
        owner: keyOf(owner),
        document: layerDocument(layer),
        ...(waits ? { coming: { document: layerDocument(waits.layer), from: waits.from } } : {}),
      };
    },

    /**
     * Puts an older document in place again, as a new version. Throws `ProjectError('policy_unknown')`, and `policy_waiting` for one
     * that never counted where it is to count at once.
     */
    async rollBack(by: Principal, owner: PolicyOwner, version: number, why: PolicyReason): Promise<PolicyWritten> {
      const layer = await versionLayer(owner, version, why.effectiveFrom !== undefined);
      return write(by, owner, ({ current }) => ({ layer, before: current }), why);
    },

    /** Every version a project (or the installation) ever had, newest first. */
    async history(owner: PolicyOwner): Promise<PolicyVersion[]> {
      const rows = await versionsOf(db, keyOf(owner));
      const states = versionStates(rows, clock.now());
      const documents = rows.map((row) => layerDocument(layerOf(row)));
      const counted = (older: number) => documents.find((_, at) => at >= older && states[at] !== 'replaced') ?? {};
      return rows.map((row, at) => ({
        version: row.version,
        document: documents[at] ?? {},
        author: row.author,
        reason: row.reason,
        createdAt: row.created_at,
        ...(row.effective_from === null ? {} : { effectiveFrom: row.effective_from }),
        state: states[at] ?? 'past',
        changes: changesBetween(counted(at + 1), documents[at] ?? {}),
      }));
    },
  };
}

function keyOf(owner: PolicyOwner): string {
  return owner === 'installation' ? INSTALLATION : owner.id;
}

function checkReason({ reason, effectiveFrom }: PolicyReason, now: number): void {
  const problem = reasonProblem(reason, LONGEST_REASON);
  if (problem !== undefined) throw new ProjectError('policy_invalid', `a change of policy needs a reason: ${problem}`);
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
