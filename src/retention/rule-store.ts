import { actorOf, nameOf, type Principal } from '../auth/principal.ts';
import type { Db } from '../db/database.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { type RetentionRule, retentionRulesSchema, ruleText } from '../policy/retention.ts';
import { RetentionError } from './errors.ts';

export interface RuleStoreDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
}

/** The rules of a project; empty: every tag stays. */
export interface ProjectRules {
  readonly rules: readonly RetentionRule[];
  /** Absent while nobody ever set any. */
  readonly changed?: { readonly by: string; readonly at: number };
}

type ProjectKey = { readonly id: string; readonly name: string };

/** Reads the rules of a project. What cannot be read stops whoever asks: in doubt nothing is deleted. */
export async function readRules(db: Db, projectId: string): Promise<ProjectRules> {
  const row = await db.selectFrom('retention_rules').selectAll().where('project_id', '=', projectId).executeTakeFirst();
  if (!row) return { rules: [] };
  const rules = retentionRulesSchema.parse(JSON.parse(row.rules));
  return { rules, changed: { by: row.changed_by, at: row.changed_at } };
}

/** Replaces the rules of a project, with a line in the ledger. Throws `RetentionError` for mirrors: they make room by themselves. */
export async function writeRules(
  { db, clock, ledger }: RuleStoreDeps,
  by: Principal,
  project: ProjectKey,
  rules: readonly RetentionRule[],
): Promise<void> {
  const row = {
    project_id: project.id,
    rules: JSON.stringify(rules),
    changed_by: nameOf(by),
    changed_at: clock.now(),
  };
  await db.transaction().execute(async (tx) => {
    const upstream = tx.selectFrom('upstreams').select('project_id').where('project_id', '=', project.id);
    if (rules.length > 0 && (await upstream.executeTakeFirst()))
      throw new RetentionError(
        'retention_invalid',
        `project "${project.name}" is a mirror, which keeps what is pulled; give it a quota, and it gives up what was not pulled for longest when it is full`,
      );
    const { rules: before } = await readRules(tx, project.id);
    await tx
      .insertInto('retention_rules')
      .values(row)
      .onConflict((conflict) => conflict.column('project_id').doUpdateSet(row))
      .execute();
    await ledger.append(tx, {
      actor: actorOf(by),
      action: 'retention.set',
      target: `project/${project.name}`,
      details: { before: before.map(ruleText), after: rules.map(ruleText) },
    });
  });
}
