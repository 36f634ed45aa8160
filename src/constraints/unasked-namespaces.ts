import type { ConstraintMatch } from './match.ts';
import { wildcardMatches } from './wildcard.ts';

/**
 * What a constraint names although the webhook is never asked about it, one sentence for each entry. `unasked` are the
 * namespaces that the webhook configuration leaves out.
 */
export function unaskedNamespaces(
  { namespaces, excludedNamespaces }: ConstraintMatch,
  unasked: readonly string[],
): string[] {
  const left = unasked.filter((name) => !(excludedNamespaces ?? []).some((pattern) => wildcardMatches(pattern, name)));
  return (namespaces ?? []).flatMap((pattern, at) => {
    // An open pattern means all namespaces there are, and names none.
    const named = /^\*+$/.test(pattern) ? [] : left.filter((name) => wildcardMatches(pattern, name));
    if (named.length === 0) return [];
    return [
      `spec.match.namespaces[${at}]: the webhook configuration leaves ${named.join(', ')} out: nothing is denied or warned ` +
        'about there, only the audit reports it',
    ];
  });
}
