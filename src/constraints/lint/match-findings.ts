import { isRecord } from '../../platform/json-object.ts';
import { type FieldPath, finding, type LintFinding, nearest } from './finding.ts';
import { type Fields, fieldsIn, type LintSubject, textsIn } from './subject.ts';

const MATCH = ['spec', 'match'];
const MATCH_FIELDS = [
  'kinds',
  'scope',
  'namespaces',
  'excludedNamespaces',
  'labelSelector',
  'namespaceSelector',
  'name',
  'source',
];
/** Gatekeeper's own pattern for `namespaces` and `name`. */
const WILDCARD = /^\*?[-:a-z0-9]*\*?$/;
const LONGEST_NAMESPACE = 63;
const LABEL_KEY = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** What is wrong with `spec.match` apart from its kinds. */
export function matchFindings({ match }: LintSubject): LintFinding[] {
  if (match === undefined) return [];
  return [
    ...unknownFields(match, MATCH_FIELDS, MATCH),
    ...scopeFindings(match),
    ...namespaceFindings(match),
    ...sourceFindings(match),
    ...nameFindings(match),
    ...['labelSelector', 'namespaceSelector'].flatMap((name) => selectorFindings(match, name)),
  ];
}

/** Fields that nobody reads; the API server keeps them, so that nobody notices. */
export function unknownFields(fields: Fields, known: readonly string[], path: FieldPath): LintFinding[] {
  return Object.keys(fields)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const meant = nearest(name, known);
      return finding('field-unknown', [...path, name], `nobody reads the field "${name}"`, {
        fix: meant === undefined ? `remove it; known are ${known.join(', ')}` : `write "${meant}"`,
      });
    });
}

function scopeFindings({ scope }: Fields): LintFinding[] {
  if (scope === undefined || scope === '*' || scope === 'Namespaced') return [];
  const path = [...MATCH, 'scope'];
  if (scope === 'Cluster') {
    return [
      finding('scope-dead', path, 'scope Cluster covers no pods and no workloads: the constraint checks nothing', {
        fix: 'remove scope, or write "Namespaced"',
      }),
    ];
  }
  const meant = typeof scope === 'string' ? nearest(scope, ['Cluster', 'Namespaced']) : undefined;
  return [
    finding('scope-unknown', path, `scope ${JSON.stringify(scope)} is not known and matches everything`, {
      fix: `write "${meant ?? 'Namespaced'}", or remove it`,
    }),
  ];
}

function namespaceFindings(match: Fields): LintFinding[] {
  const included = textsIn(match, 'namespaces');
  const excluded = textsIn(match, 'excludedNamespaces') ?? [];
  const found: LintFinding[] = [];
  for (const [field, list] of [
    ['namespaces', included ?? []],
    ['excludedNamespaces', excluded],
  ] as const) {
    for (const [at, pattern] of list.entries()) {
      const why = whyNoNamespace(pattern);
      if (why === undefined) continue;
      found.push(
        finding('namespace-invalid', [...MATCH, field, at], `no namespace matches "${pattern}": ${why}`, {
          fix: 'write a name, pre*, *suf or *mid*, in lower case',
        }),
      );
    }
  }
  if (included !== undefined && included.length > 0 && included.every((one) => whyNoNamespace(one) !== undefined)) {
    found.push(
      finding(
        'namespaces-dead',
        [...MATCH, 'namespaces'],
        'no namespace matches any of these: the constraint checks nothing',
        {
          fix: 'write names, pre*, *suf or *mid*, in lower case',
        },
      ),
    );
  }
  const left = new Set(excluded);
  const all = excluded.findIndex((pattern) => /^\*+$/.test(pattern));
  if (all >= 0) {
    found.push(
      finding('namespaces-dead', [...MATCH, 'excludedNamespaces', all], 'every namespace is excluded', {
        fix: 'name the namespaces to exclude',
      }),
    );
  } else if (included !== undefined && included.length > 0 && included.every((one) => left.has(one))) {
    found.push(
      finding('namespaces-dead', [...MATCH, 'namespaces'], 'every namespace that is included is excluded as well', {
        fix: 'remove them from excludedNamespaces',
      }),
    );
  }
  return found;
}

function whyNoNamespace(pattern: string): string | undefined {
  if (pattern === '') return 'it is empty';
  if (pattern.slice(1, -1).includes('*')) return '"*" is a wildcard at the beginning and at the end only';
  if (!WILDCARD.test(pattern)) return 'names have lower-case letters, digits and "-" only';
  const text = pattern.replaceAll('*', '');
  if (text.includes(':')) return 'names have no ":"';
  if (text.length > LONGEST_NAMESPACE) return `names have at most ${LONGEST_NAMESPACE} characters`;
  if (!pattern.startsWith('*') && text.startsWith('-')) return 'names do not begin with "-"';
  if (!pattern.endsWith('*') && text.endsWith('-')) return 'names do not end with "-"';
  return undefined;
}

function sourceFindings({ source }: Fields): LintFinding[] {
  const known = ['All', 'Original', 'Generated'];
  if (source === undefined || (typeof source === 'string' && known.includes(source))) return [];
  const meant = typeof source === 'string' ? nearest(source, known) : undefined;
  return [
    finding('source-unknown', [...MATCH, 'source'], `source ${JSON.stringify(source)} is not known`, {
      fix: `write "${meant ?? 'All'}"`,
    }),
  ];
}

function nameFindings({ name }: Fields): LintFinding[] {
  if (typeof name !== 'string' || name === '' || name.endsWith('*')) return [];
  return [
    finding('name-exact', [...MATCH, 'name'], `"${name}" never matches a pod that a workload makes: its name goes on`, {
      fix: `write "${name}*"`,
    }),
  ];
}

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

function selectorFindings(match: Fields, field: string): LintFinding[] {
  const selector = fieldsIn(match, field);
  if (selector === undefined) return [];
  const path = [...MATCH, field];
  const found = unknownFields(selector, ['matchLabels', 'matchExpressions'], path);
  for (const [key, value] of Object.entries(fieldsIn(selector, 'matchLabels') ?? {})) {
    if (!LABEL_KEY.test(key) || typeof value !== 'string' || !LABEL_VALUE.test(value))
      found.push(bad([...path, 'matchLabels', key], `"${key}" with that value is no label`, 'correct key and value'));
  }
  const { matchExpressions } = selector;
  for (const [at, one] of (Array.isArray(matchExpressions) ? matchExpressions : []).entries()) {
    if (!isRecord(one)) continue;
    const here = [...path, 'matchExpressions', at];
    const { key, operator, values } = one;
    if (typeof key !== 'string' || !LABEL_KEY.test(key))
      found.push(bad([...here, 'key'], `${JSON.stringify(key)} is no label key`, 'correct the key'));
    if (typeof operator !== 'string' || !OPERATORS.includes(operator)) {
      const meant = typeof operator === 'string' ? nearest(operator, OPERATORS) : undefined;
      const fix = `write ${meant === undefined ? OPERATORS.join(', ') : `"${meant}"`}`;
      found.push(bad([...here, 'operator'], `operator ${JSON.stringify(operator)} is not known`, fix));
      continue;
    }
    const count = Array.isArray(values) ? values.length : 0;
    const wants = operator === 'In' || operator === 'NotIn';
    if (wants && count === 0) found.push(bad(here, `operator ${operator} needs values`, 'add values'));
    if (!wants && count > 0)
      found.push(bad([...here, 'values'], `operator ${operator} takes no values`, 'remove them'));
  }
  return found;
}

function bad(at: FieldPath, message: string, fix: string): LintFinding {
  return finding('selector-invalid', at, message, { fix });
}
