import type { Reference } from '../../oci/reference.ts';

/** What can be wrong with an image: its source, its tag, the lack of a tag or digest, or that its text is no reference. */
export type Breach = 'repo' | 'tag' | 'no-tag' | 'no-digest' | 'unreadable';

/** What one constraint asks of every image, prepared from its parameters. */
export interface ImageRule {
  /** All that is wrong; empty when the image keeps the rule. `reference` is its parsed form, undefined when it has none. */
  breaches(image: string, reference: Reference | undefined): readonly Breach[];
  /** The list that messages print. */
  readonly list: readonly string[];
  /** What is wrong with the parameters although they are used. */
  readonly problems: readonly string[];
}

/** How a kind compares: as Gatekeeper's library does, by raw prefixes where it does, or by parsed references. */
export type RuleMode = 'compat' | 'prefix' | 'reference';

const NONE: readonly Breach[] = [];

/** The breaches that hold, without a new list when there is none. */
export function breachesOf(...found: readonly (Breach | false)[]): readonly Breach[] {
  return found.some(Boolean) ? found.filter((one): one is Breach => one !== false) : NONE;
}
