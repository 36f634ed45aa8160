import { ImportError } from './errors.ts';

/** Projects of the target, as an import needs to know them. */
export interface ImportProjects {
  kindOf(name: string): Promise<'ordinary' | 'mirror' | undefined>;
  create(name: string): Promise<void>;
}

/** Gives `requireProject` of a target: makes projects that are not there when told to, each looked at once. */
export function createProjectCheck(
  projects: ImportProjects,
  options: { readonly create: boolean; readonly dryRun: boolean },
): (name: string) => Promise<void> {
  const usable = new Set<string>();
  return async (name) => {
    if (usable.has(name)) return;
    const kind = await projects.kindOf(name);
    if (kind === 'mirror')
      throw new ImportError(
        'refused',
        `project "${name}" mirrors another registry and takes nothing else; put it below another one with --project NAME`,
      );
    if (kind === undefined) {
      if (!options.create)
        throw new ImportError(
          'refused',
          `project "${name}" does not exist; create it with: breakwater project create ${name}, or run again with --create-projects`,
        );
      if (!options.dryRun) await projects.create(name);
    }
    usable.add(name);
  };
}
