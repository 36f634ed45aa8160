import { z } from 'zod';
import { selects, type TagSelection, tagSelectionSchema } from './tag-selection.ts';

/** Which tags of a project stay with the manifest they were first pushed with. */
export const immutableTagsSchema = z.array(tagSelectionSchema).max(15);
export type ImmutableTags = readonly TagSelection[];

/** The first rule that makes a tag immutable; undefined when none does. `repository` is the path below the project. */
export function immutableBy(rules: ImmutableTags, repository: string, tag: string): TagSelection | undefined {
  return rules.find((rule) => selects(rule, repository, tag));
}

/** Reads the rules as they are stored. What cannot be read stops whoever asks: in doubt nothing may be moved or deleted. */
export function readImmutableTags(stored: string | null): ImmutableTags {
  return stored === null ? [] : immutableTagsSchema.parse(JSON.parse(stored));
}
