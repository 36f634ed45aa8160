import type { Command } from 'commander';
import { CliError } from '../exit.ts';

/** Where an exception counts; without a project everywhere. */
export interface Place {
  readonly project?: string;
  /** For people. */
  readonly name: string;
  /** Repository below the project, where an image was named. */
  readonly repository?: string;
}

export interface PlaceOptions {
  readonly everywhere?: boolean;
}

/** Adds `--everywhere`: it stands for the project. */
export function withPlace(command: Command): Command {
  return command.option('--everywhere', 'in all projects; no project is named then');
}

/** Takes the project off the words of a command, unless it is about all of them. */
export function placeAmong(
  words: readonly string[],
  { everywhere }: PlaceOptions,
): { readonly place: Place; readonly rest: readonly string[] } {
  if (everywhere) return { place: { name: 'the installation' }, rest: words };
  const [where, ...rest] = words;
  if (where === undefined) throw new CliError('usage', 'name a project, or give --everywhere');
  const { project, repository } = placeOf(where);
  return { place: { project, name: project, ...(repository === undefined ? {} : { repository }) }, rest };
}

/** Project and repository below it of `front`, `front/alpine:3.20` or `front/team/app@sha256:…`. */
export function placeOf(text: string): { readonly project: string; readonly repository?: string } {
  const name = text.replace(/@.*$/, '').replace(/:[^/]*$/, '');
  const slash = name.indexOf('/');
  return slash < 0 ? { project: name } : { project: name.slice(0, slash), repository: name.slice(slash + 1) };
}

/** The place as the beginning of a command. */
export function wordsOf({ project }: Place): string {
  return project ?? '--everywhere';
}
