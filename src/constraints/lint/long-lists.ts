import { KIND_DEFINITIONS } from '../kinds/kinds.ts';
import { finding, type LintFinding } from './finding.ts';
import type { LintSubject } from './subject.ts';

/**
 * For constraints with more than `most` entries in a list: says so, and looks for no more than a value of the wrong type and
 * an empty entry, the first of each. Empty for other constraints.
 */
export function longListFindings({ kind, parameters }: LintSubject, most: number): LintFinding[] {
  const lists = KIND_DEFINITIONS[kind].parameters.flatMap((field) => {
    const list = parameters?.[field];
    return Array.isArray(list) ? [{ field, list: list as readonly unknown[] }] : [];
  });
  if (!lists.some(({ list }) => list.length > most)) return [];
  return lists.flatMap(({ field, list }) => {
    const path = ['spec', 'parameters', field];
    const found: LintFinding[] = [];
    const odd = list.findIndex((one) => typeof one !== 'string');
    if (odd >= 0) {
      found.push(
        finding('shape-invalid', [...path, odd], 'expected string: the constraint cannot be used', {
          fix: 'write the type that is expected there',
        }),
      );
    }
    const empty = list.indexOf('');
    if (empty >= 0) {
      found.push(finding('entry-empty', [...path, empty], 'an empty entry', { fix: 'remove it' }));
    }
    if (list.length > most) {
      found.push(
        finding(
          'list-long',
          path,
          `${list.length} entries are too many to look at each of them when they are applied`,
          {
            fix: 'ask breakwater guard lint',
          },
        ),
      );
    }
    return found;
  });
}
