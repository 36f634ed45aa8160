import { createHash } from 'node:crypto';
import { projectOf } from '../model/project-name.ts';

/** What a reader is told of. */
export interface Scope {
  /** Equal for equal ones. */
  readonly id: string;
  /** Names of projects. */
  readonly projects: 'all' | ReadonlySet<string>;
  /** Repositories of other projects that the reader may see: changes of them are told too. */
  readonly also: ReadonlySet<string>;
}

export const EVERYTHING: Scope = { id: 'all', projects: 'all', also: new Set() };

/** The scope of these projects, `also` left out of its identity: what is in them now is asked for apart. */
export function scopeOf(projects: 'all' | ReadonlySet<string>, also: ReadonlySet<string> = new Set()): Scope {
  const id =
    projects === 'all'
      ? 'all'
      : createHash('sha256')
          .update(JSON.stringify([...projects].sort()))
          .digest('base64url')
          .slice(0, 22);
  return { id, projects, also };
}

/** True when all of that project is told. */
export function tellsOfProject({ projects }: Scope, project: string): boolean {
  return projects === 'all' || projects.has(project);
}

/** True when changes of that repository are told. */
export function tells(scope: Scope, repository: string): boolean {
  return tellsOfProject(scope, projectOf(repository)) || scope.also.has(repository);
}
