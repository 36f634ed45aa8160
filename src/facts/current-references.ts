import type { Db } from '../db/database.ts';
import { concernsReferences, type ReferencePolicies, type ReferencePolicy } from '../policy/judge-reference.ts';
import { type DatedPolicy, effectivePolicies } from '../projects/effective-policies.ts';
import type { ReferenceFacts } from './page.ts';
import type { Scope } from './scope.ts';

/** What the policies of these projects say of references now, each thing once; also of projects that are gone. */
export async function currentReferences(db: Db, projects: readonly string[], now: number): Promise<ReferenceFacts[]> {
  if (projects.length === 0) return [];
  const policies = await effectivePolicies(db, projects, now);
  const shared = new Map<DatedPolicy, string>();
  const groups = new Map<string, string[]>();
  for (const project of new Set(projects)) {
    const effective = policies.get(project);
    const text = effective === undefined ? 'null' : (shared.get(effective) ?? JSON.stringify(toldOf(effective)));
    if (effective) shared.set(effective, text);
    const group = groups.get(text);
    if (group) group.push(project);
    else groups.set(text, [project]);
  }
  return [...groups].map(([text, names]) => ({
    projects: names,
    policies: JSON.parse(text) as ReferencePolicies | null,
  }));
}

/** Names of the projects a reader is told of. */
export async function projectsIn(db: Db, { projects }: Scope): Promise<string[]> {
  if (projects !== 'all') return [...projects];
  const rows = await db.selectFrom('projects').select('name').execute();
  return rows.map(({ name }) => name);
}

function toldOf({ policy, coming, since }: DatedPolicy): ReferencePolicies | null {
  if (!concernsReferences({ policy, coming })) return null;
  return {
    policy: ruleOf(policy),
    ...(coming.length === 0
      ? {}
      : { coming: coming.map((next) => ({ from: next.from, policy: ruleOf(next.policy) })) }),
    ...(since === undefined ? {} : { since }),
  };
}

function ruleOf({ disallowedTags, digestRequired, contact }: ReferencePolicy): ReferencePolicy {
  return { disallowedTags, digestRequired, contact };
}
