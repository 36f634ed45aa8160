import { isRepositoryName } from '../oci/reference.ts';
import { matchesGlob } from '../policy/repository-glob.ts';
import { ImportError } from './errors.ts';

export interface Naming {
  /** Project that everything is put below. */
  readonly project?: string | undefined;
  /** Project of repositories whose name has one part only. */
  readonly defaultProject?: string | undefined;
}

/** The name a repository gets here. Throws `ImportError('refused')` for one that has no place here, and says what to do. */
export function nameHere(repository: string, { project, defaultProject }: Naming): string {
  const name = placed(repository, project, defaultProject);
  if (isRepositoryName(name)) return name;
  throw new ImportError('refused', `"${name.slice(0, 100)}" cannot be the name of a repository here`);
}

function placed(repository: string, project: string | undefined, defaultProject: string | undefined): string {
  if (project !== undefined) return `${project}/${repository}`;
  if (repository.includes('/')) return repository;
  if (defaultProject !== undefined) return `${defaultProject}/${repository}`;
  throw new ImportError(
    'refused',
    'its name has no project; say where such repositories go with --default-project NAME, or put everything below one with --project NAME',
  );
}

/** Chooses by patterns like `front/*` and `front/**:v*`: without any, everything. */
export interface Filter {
  repository(name: string): boolean;
  tag(repository: string, tag: string): boolean;
  /** Untagged manifests are wanted: some pattern for the repository names no tags. */
  untagged(repository: string): boolean;
}

/** `*` matches inside a part of a name, `**` across; after a colon the same for tags. */
export function createFilter(patterns: readonly string[]): Filter {
  const wanted = patterns.map((pattern) => {
    const colon = pattern.lastIndexOf(':');
    return colon < 0 ? { repository: pattern } : { repository: pattern.slice(0, colon), tag: pattern.slice(colon + 1) };
  });
  const forName = (name: string) => wanted.filter((pattern) => matchesGlob(pattern.repository, name));
  return {
    repository: (name) => wanted.length === 0 || forName(name).length > 0,
    tag: (name, tag) =>
      wanted.length === 0 ||
      forName(name).some((pattern) => pattern.tag === undefined || matchesGlob(pattern.tag, tag)),
    untagged: (name) => wanted.length === 0 || forName(name).some((pattern) => pattern.tag === undefined),
  };
}
