import { compareText } from '../oci/canonical.ts';
import type { ApprovedEntry } from './source-store.ts';

/**
 * The `repos` list of the `K8sAllowedRepos` constraint: every trusted entry once, in an order that does not depend on when it
 * was approved, so that an unchanged set gives an unchanged constraint.
 */
export function compileRepos(entries: readonly Pick<ApprovedEntry, 'entry'>[]): string[] {
  return [...new Set(entries.map(({ entry }) => entry))].sort(compareText);
}
