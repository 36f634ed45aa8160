import { type Expression, type SqlBool, sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Named } from './current.ts';
import { PHASES, type Phase } from './cursor.ts';
import type { Scope } from './scope.ts';

/** One step of a full account: names of what there is, after the last one told. */
export interface Step {
  readonly trust: readonly string[];
  readonly upstreams: readonly string[];
  /** Projects whose policy is to be told. */
  readonly references: readonly string[];
  readonly tags: readonly (Named & { readonly digest: string })[];
  readonly images: readonly Named[];
  /** Undefined: this was the last. */
  readonly next: { readonly phase: Phase; readonly after: readonly [string, string] } | undefined;
}

const START = ['', ''] as const;
export const FIRST_STEP = { phase: PHASES[0], after: START } as const;
/** Names of a step; images are fewer, for what has to be read about each. */
const AT_ONCE: Readonly<Record<Phase, number>> = {
  trust: 2000,
  upstreams: 2000,
  policies: 500,
  tags: 4000,
  images: 1000,
};

/** Reads one step of everything in a scope, in the order of names: each costs the same, wherever it is. */
export async function fullStep(
  db: Db,
  scope: Scope,
  { phase, after }: { readonly phase: Phase; readonly after: readonly [string, string] },
): Promise<Step> {
  const none = { trust: [], upstreams: [], references: [], tags: [], images: [] };
  const limit = AT_ONCE[phase];
  switch (phase) {
    case 'trust': {
      const rows = await db
        .selectFrom('trusted_sources')
        .select('entry')
        .distinct()
        .where('state', '=', 'approved')
        .where('entry', '>', after[0])
        .orderBy('entry')
        .limit(limit)
        .execute();
      const trust = rows.map(({ entry }) => entry);
      return { ...none, trust, next: next(phase, trust.length === limit && trust.at(-1)) };
    }
    case 'upstreams': {
      const rows = await projectsAfter(db, scope, after[0], limit)
        .innerJoin('upstreams as u', 'u.project_id', 'p.id')
        .execute();
      const upstreams = rows.map(({ name }) => name);
      return { ...none, upstreams, next: next(phase, upstreams.length === limit && upstreams.at(-1)) };
    }
    case 'policies': {
      const rows = await projectsAfter(db, scope, after[0], limit).execute();
      const references = rows.map(({ name }) => name);
      return { ...none, references, next: next(phase, references.length === limit && references.at(-1)) };
    }
    case 'tags': {
      const tags = await db
        .selectFrom('repositories as r')
        .innerJoin('tags as t', 't.repository_id', 'r.id')
        .innerJoin('projects as p', 'p.id', 'r.project_id')
        .select(['r.name as repository', 't.name as item', 't.digest'])
        .where('r.name', '>=', after[0])
        .where(sql<SqlBool>`(r.name, t.name) > (${after[0]}, ${after[1]})`)
        .where(projectIn(scope))
        .orderBy('r.name')
        .orderBy('t.name')
        .limit(limit)
        .execute();
      return { ...none, tags, next: nextNamed(phase, tags, limit) };
    }
    case 'images': {
      const images = await db
        .selectFrom('repositories as r')
        .innerJoin('manifests as m', 'm.repository_id', 'r.id')
        .innerJoin('projects as p', 'p.id', 'r.project_id')
        .select(['r.name as repository', 'm.digest as item'])
        .where('r.name', '>=', after[0])
        .where(sql<SqlBool>`(r.name, m.digest) > (${after[0]}, ${after[1]})`)
        .where(projectIn(scope))
        .orderBy('r.name')
        .orderBy('m.digest')
        .limit(limit)
        .execute();
      return { ...none, images, next: nextNamed(phase, images, limit) };
    }
  }
}

function projectsAfter(db: Db, scope: Scope, name: string, limit: number) {
  return db
    .selectFrom('projects as p')
    .select('p.name')
    .where('p.name', '>', name)
    .where(projectIn(scope))
    .orderBy('p.name')
    .limit(limit);
}

function projectIn(scope: Scope): Expression<SqlBool> {
  if (scope.projects === 'all') return sql<SqlBool>`true`;
  if (scope.projects.size === 0) return sql<SqlBool>`false`;
  return sql<SqlBool>`p.name in (${sql.join([...scope.projects])})`;
}

function next(phase: Phase, last: string | false | undefined): Step['next'] {
  if (typeof last === 'string') return { phase, after: [last, ''] };
  return following(phase);
}

function nextNamed(phase: Phase, names: readonly Named[], limit: number): Step['next'] {
  const last = names.at(-1);
  if (last && names.length === limit) return { phase, after: [last.repository, last.item] };
  return following(phase);
}

function following(phase: Phase): Step['next'] {
  const then = PHASES[PHASES.indexOf(phase) + 1];
  return then && { phase: then, after: START };
}
