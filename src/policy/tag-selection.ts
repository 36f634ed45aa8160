import { z } from 'zod';
import { matchesGlob } from './repository-glob.ts';

const MOST_GLOBS = 20;
const tagGlob = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_.*-]+$/, 'a glob of tags, like v* or release-*');
const repositoryGlob = z
  .string()
  .max(255)
  .regex(/^[a-z0-9._/*-]+$/, 'a glob of repositories below the project, like app or team/**');
const globs = <Glob extends z.ZodType>(glob: Glob) => z.array(glob).max(MOST_GLOBS);

/** Which tags in which repositories of a project are meant. `*` stands for anything in a tag, and within a path segment; `**` across segments. */
export const tagSelectionSchema = z
  .object({
    tags: globs(tagGlob).min(1).default(['*']),
    exceptTags: globs(tagGlob).default([]),
    repositories: globs(repositoryGlob).min(1).default(['**']),
    exceptRepositories: globs(repositoryGlob).default([]),
  })
  .strict();

export type TagSelection = Readonly<z.output<typeof tagSelectionSchema>>;

/** True when the selection means this tag. `repository` is the path below the project. */
export function selects(selection: TagSelection, repository: string, tag: string): boolean {
  return (
    any(selection.repositories, repository) &&
    !any(selection.exceptRepositories, repository) &&
    any(selection.tags, tag) &&
    !any(selection.exceptTags, tag)
  );
}

function any(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, text));
}

/** The selection in a line: `v*,!*-rc in team/**`; everything is `*`. The form that `parseSelection` reads. */
export function selectionText({ tags, exceptTags, repositories, exceptRepositories }: TagSelection): string {
  const where = list(repositories, exceptRepositories);
  return `${list(tags, exceptTags)}${where === '**' ? '' : ` in ${where}`}`;
}

function list(wanted: readonly string[], except: readonly string[]): string {
  return [...wanted, ...except.map((glob) => `!${glob}`)].join(',');
}

/** Reads a selection as `selectionText` writes it; undefined when it is none. */
export function parseSelection(text: string): TagSelection | undefined {
  const [tags = '', where = '**', ...more] = text.trim().split(/\s+in\s+/);
  if (more.length > 0) return undefined;
  const [wantedTags, exceptTags] = divide(tags, '*');
  const [repositories, exceptRepositories] = divide(where, '**');
  const checked = tagSelectionSchema.safeParse({ tags: wantedTags, exceptTags, repositories, exceptRepositories });
  return checked.success ? checked.data : undefined;
}

/** What is wanted (`all` when only exceptions are named), and what is excepted. */
function divide(list: string, all: string): [wanted: string[], except: string[]] {
  const globs = list.split(',').map((glob) => glob.trim());
  const except = globs.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1));
  const wanted = globs.filter((glob) => !glob.startsWith('!'));
  return [wanted.length === 0 ? [all] : wanted, except];
}
