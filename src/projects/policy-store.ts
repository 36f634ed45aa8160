import { isDeepStrictEqual } from 'node:util';
import { actorOf, nameOf, type Principal } from '../auth/principal.ts';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { addEvents } from '../notify/outbox.ts';
import type { Clock } from '../platform/clock.ts';
import { defaultPolicy, type Policy, type Threshold } from '../policy/policy.ts';
import { policySchema } from '../policy/policy-schema.ts';
import { upgradePolicy } from '../policy/upgrade-policy.ts';
import { ProjectError } from './errors.ts';

/** One numbered, immutable policy document; `policy` is undefined where a project went back to the installation's. */
export interface PolicyVersion {
  readonly version: number;
  readonly policy: Policy | undefined;
  readonly author: string;
  readonly reason: string;
  /** Epoch ms. */
  readonly createdAt: number;
}

export interface EffectivePolicy {
  readonly policy: Policy;
  /** Differs whenever the document differs; 0 is what is built in. */
  readonly version: number;
  readonly origin: 'project' | 'installation' | 'built-in';
}

/** Whose policy: a project's, or the installation's that counts where a project has none. */
export type PolicyOwner = { readonly id: string; readonly name: string } | 'installation';

export interface ShortForm {
  readonly block?: Threshold;
  readonly warn?: Threshold;
}

/**
 * `--block high` and `--warn critical`: findings at or above the severity count, whether there is a fixed version or not, as a
 * Harbor user expects of "prevent images with vulnerability severity of high or higher". What is not given stays.
 */
export function applyShortForm(policy: Policy, { block, warn }: ShortForm): Policy {
  return {
    ...policy,
    ...(block === undefined ? {} : { block: { fixable: block, unfixable: block } }),
    ...(warn === undefined ? {} : { warn: { fixable: warn, unfixable: warn } }),
  };
}

const INSTALLATION = '';
const LONGEST_REASON = 2000;
const REMEMBERED = 10_000;

/** Keeps policies: numbered over the whole installation, never changed, with author and reason. */
export type PolicyStore = ReturnType<typeof createPolicyStore>;

export function createPolicyStore(deps: { readonly db: Db; readonly clock: Clock; readonly ledger: Ledger }) {
  const { db, clock, ledger } = deps;
  /** By project, with the newest number that could concern it: one cheap read tells whether it still holds, on any replica. */
  const remembered = new Map<string, { readonly newest: number; readonly effective: EffectivePolicy }>();

  async function write(by: Principal, owner: PolicyOwner, policy: Policy | undefined, reason: string) {
    if (reason.trim() === '' || reason.length > LONGEST_REASON)
      throw new ProjectError(
        'policy_invalid',
        `a change of policy needs a reason of at most ${LONGEST_REASON} characters`,
      );
    return db.transaction().execute(async (tx) => {
      // Numbers are given out one after the other: two documents must never share one.
      await ledger.serialise(tx);
      const last = await newestOf(tx, keyOf(owner));
      if (last ? isDeepStrictEqual(read(last.document), policy) : policy === undefined)
        return { version: last ? toVersion(last) : undefined, changed: false };
      const { newest } = await tx
        .selectFrom('policies')
        .select((eb) => eb.fn.max('version').as('newest'))
        .executeTakeFirstOrThrow();
      const row: Row<'policies'> = {
        project_id: keyOf(owner),
        version: (newest ?? 0) + 1,
        document: JSON.stringify(policy ?? null),
        author: nameOf(by),
        reason,
        created_at: clock.now(),
      };
      await tx.insertInto('policies').values(row).execute();
      const name = owner === 'installation' ? owner : owner.name;
      await addEvents(tx, [
        {
          type: 'POLICY_CHANGED',
          subject: `policy/${name}`,
          ...(owner === 'installation' ? {} : { project: name }),
          at: row.created_at,
          data: {
            owner: name,
            version: row.version,
            previous: last?.version ?? null,
            own: policy !== undefined,
            by: row.author,
            reason,
          },
        },
      ]);
      await ledger.append(tx, {
        actor: actorOf(by),
        action: policy ? 'policy.set' : 'policy.inherit',
        target: owner === 'installation' ? 'installation' : `project/${owner.name}`,
        details: { version: row.version, before: last?.version ?? null, reason, ...(policy ? { policy } : {}) },
      });
      return { version: toVersion(row), changed: true };
    });
  }

  return {
    /** What counts for a project now: its own policy, else the installation's, else the built-in one. */
    async effectivePolicy(projectId: string): Promise<EffectivePolicy> {
      const newest = await newestNumber(db, [projectId, INSTALLATION]);
      const known = remembered.get(projectId);
      if (known?.newest === newest) return known.effective;
      const effective = await readEffective(db, projectId);
      if (remembered.size >= REMEMBERED) remembered.clear();
      remembered.set(projectId, { newest, effective });
      return effective;
    },

    /** What counts where a project has no policy of its own. */
    async installationPolicy(): Promise<EffectivePolicy> {
      return readEffective(db, INSTALLATION);
    },

    /**
     * Makes the next version of a policy; the same document again makes none and gives the one there is. Throws
     * `ProjectError('policy_invalid')` for a document or a reason that cannot be. Stored verdicts are judged again by the caller.
     */
    async set(
      by: Principal,
      owner: PolicyOwner,
      document: unknown,
      reason: string,
    ): Promise<{ readonly version: PolicyVersion; readonly changed: boolean }> {
      const checked = policySchema.safeParse(document);
      if (!checked.success) {
        const problems = checked.error.issues.map((issue) => `${issue.path.join('.') || 'policy'}: ${issue.message}`);
        throw new ProjectError('policy_invalid', `the policy is not valid: ${problems.join('; ')}`);
      }
      const { version, changed } = await write(by, owner, checked.data, reason);
      if (!version) throw new ProjectError('policy_invalid', 'the policy was not stored');
      return { version, changed };
    },

    /** Goes back to the installation's policy, or for that to the built-in one. Gives false when that counted already. */
    async inherit(by: Principal, owner: PolicyOwner, reason: string): Promise<boolean> {
      return (await write(by, owner, undefined, reason)).changed;
    },

    /** Every version a project (or the installation) ever had, newest first. */
    async history(owner: PolicyOwner): Promise<PolicyVersion[]> {
      const rows = await db
        .selectFrom('policies')
        .selectAll()
        .where('project_id', '=', keyOf(owner))
        .orderBy('version', 'desc')
        .execute();
      return rows.map(toVersion);
    },
  };
}

function keyOf(owner: PolicyOwner): string {
  return owner === 'installation' ? INSTALLATION : owner.id;
}

async function newestNumber(db: Db, owners: readonly string[]): Promise<number> {
  const rows = await db
    .selectFrom('policies')
    .select((eb) => eb.fn.max('version').as('version'))
    .where('project_id', 'in', owners)
    .execute();
  return rows[0]?.version ?? 0;
}

async function newestOf(db: Db, projectId: string): Promise<Row<'policies'> | undefined> {
  return db
    .selectFrom('policies')
    .selectAll()
    .where('project_id', '=', projectId)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
}

async function readEffective(db: Db, projectId: string): Promise<EffectivePolicy> {
  for (const owner of projectId === INSTALLATION ? [INSTALLATION] : [projectId, INSTALLATION]) {
    const row = await newestOf(db, owner);
    const policy = row && read(row.document);
    if (row && policy)
      return { policy, version: row.version, origin: owner === INSTALLATION ? 'installation' : 'project' };
  }
  return { policy: defaultPolicy, version: 0, origin: 'built-in' };
}

/** Fields that are newer than a stored document have their defaults. */
function read(document: string): Policy | undefined {
  const stored = JSON.parse(document) as Record<string, unknown> | null;
  if (stored === null) return undefined;
  return Object.freeze(policySchema.parse(overlay(defaultPolicy, upgradePolicy(stored))));
}

/** An object with the fields of another put over its own, deep inside too; lists are replaced whole. */
function overlay(below: object, above: object): object {
  return Object.fromEntries(
    Object.entries({ ...below, ...above }).map(([name, value]) => {
      const lower = (below as Record<string, unknown>)[name];
      return [name, isFields(value) && isFields(lower) ? overlay(lower, value) : value];
    }),
  );
}

function isFields(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toVersion({ version, document, author, reason, created_at }: Row<'policies'>): PolicyVersion {
  return { version, policy: read(document), author, reason, createdAt: created_at };
}
