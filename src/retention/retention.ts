import { type Principal, SYSTEM } from '../auth/principal.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { RetentionRule } from '../policy/retention.ts';
import { forgetOldPulls } from './pull-times.ts';
import { type ProjectRules, type RuleStoreDeps, readRules, writeRules } from './rule-store.ts';
import { type RetentionOutcome, runRetention } from './run.ts';

type ProjectKey = { readonly id: string; readonly name: string };

/** A run that was not only looked at. */
export interface RetentionRunView {
  readonly at: number;
  readonly actor: string;
  readonly rules: readonly string[];
  readonly examined: number;
  readonly removed: number;
}

/** Takes tags away that the rules of their project do not keep. Manifests follow, where the project gives up what has no tag. */
export interface Retention {
  rules(project: ProjectKey): Promise<ProjectRules>;
  /** Replaces the rules. Throws `RetentionError`. */
  setRules(by: Principal, project: ProjectKey, rules: readonly RetentionRule[]): Promise<void>;
  /** What a run would do now; writes nothing. `rules`: instead of those that are set. */
  lookAhead(project: ProjectKey, rules?: readonly RetentionRule[]): Promise<RetentionOutcome>;
  run(by: Principal, project: ProjectKey): Promise<RetentionOutcome>;
  /** The newest hundred runs, newest first. */
  history(project: ProjectKey): Promise<RetentionRunView[]>;
  /** Runs for every project whose rules were not changed within the last day. */
  runAll(signal?: AbortSignal): Promise<void>;
}

/** Whoever changes rules has a day to look at what they would do. */
const SETTLED_MS = 86_400_000;

export function createRetention(deps: RuleStoreDeps & { readonly logger: Logger }): Retention {
  const { db, clock, logger } = deps;

  async function runOne(project: ProjectKey, signal: AbortSignal | undefined): Promise<void> {
    const { rules, changed } = await readRules(db, project.id);
    if (rules.length === 0 || !changed || changed.at > clock.now() - SETTLED_MS) return;
    const { examined, removed } = await runRetention(deps, {
      project,
      rules,
      by: SYSTEM,
      ...(signal ? { signal } : {}),
    });
    logger.info({ project: project.name, examined, removed }, 'applied the retention rules of a project');
  }

  return {
    rules: (project) => readRules(db, project.id),
    setRules: (by, project, rules) => writeRules(deps, by, project, rules),
    async lookAhead(project, rules) {
      return runRetention(deps, { project, rules: rules ?? (await readRules(db, project.id)).rules });
    },
    async run(by, project) {
      return runRetention(deps, { project, by, rules: (await readRules(db, project.id)).rules });
    },
    async history(project) {
      const rows = await db
        .selectFrom('retention_runs')
        .selectAll()
        .where('project_id', '=', project.id)
        .orderBy('at', 'desc')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(({ at, actor, rules, examined, removed }) => ({
        at,
        actor,
        rules: JSON.parse(rules) as string[],
        examined,
        removed,
      }));
    },
    async runAll(signal) {
      await forgetOldPulls(db);
      const projects = await db
        .selectFrom('retention_rules as r')
        .innerJoin('projects as p', 'p.id', 'r.project_id')
        .leftJoin('upstreams as u', 'u.project_id', 'p.id')
        // It may have become a mirror since.
        .where('u.project_id', 'is', null)
        .select(['p.id', 'p.name'])
        .orderBy('p.name')
        .execute();
      let failed = 0;
      for (const project of projects) {
        if (signal?.aborted) return;
        try {
          await runOne(project, signal);
        } catch (error) {
          failed += 1;
          logger.error({ project: project.name, error: messageOf(error) }, 'the retention rules of a project failed');
        }
      }
      if (failed > 0) throw new Error(`the retention rules of ${failed} of ${projects.length} projects failed`);
    },
  };
}
