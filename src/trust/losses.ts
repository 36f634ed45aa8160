import type { Reference } from '../oci/reference.ts';
import { compileEntries } from './match/matcher.ts';

/** True for what is trusted now and would not be without some entries. */
export function losesTrust(before: readonly string[], retired: ReadonlySet<string>): (reference: Reference) => boolean {
  const now = compileEntries(before);
  const then = compileEntries(before.filter((entry) => !retired.has(entry)));
  return (reference) =>
    now.match(reference.original, reference) !== undefined && then.match(reference.original, reference) === undefined;
}
