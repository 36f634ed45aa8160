import { KIND_DEFINITIONS } from '../kinds/kinds.ts';
import { finding, type LintFinding } from './finding.ts';
import type { LintSubject } from './subject.ts';

/** Whether everything beside the parameters has more than `most` items and fields together: then it is not looked at, and said. */
export function longSpecFindings({ spec }: LintSubject, most: number): LintFinding[] {
  const fields = Object.keys(spec);
  const isLong =
    fields.length > most ||
    hasMoreThan(
      fields.map((name) => name !== 'parameters' && spec[name]),
      most,
    );
  if (!isLong) return [];
  const message = `more than ${most} items beside the parameters are too many to look at when they are applied`;
  return [finding('list-long', ['spec'], message, { fix: 'ask breakwater guard lint' })];
}

function hasMoreThan(value: unknown, most: number): boolean {
  const waiting: unknown[] = [value];
  for (let seen = 0; waiting.length > 0; seen += 1) {
    if (seen + waiting.length > most) return true;
    const one = waiting.pop();
    if (typeof one === 'object' && one !== null) {
      for (const member of Object.values(one)) {
        if (waiting.length > most) return true;
        waiting.push(member);
      }
    }
  }
  return false;
}

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
