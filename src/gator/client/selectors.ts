import { goQuote } from '../../constraints/go-quote.ts';
import { fieldAt, isRecord, textAt } from '../../platform/json-object.ts';

const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

const BAD_NAME =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const BAD_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** What Kubernetes has against a label selector; empty when it can be used. */
export function selectorErrors(selector: unknown, path: string): readonly string[] {
  const misfit = misfitOf(selector);
  if (misfit !== undefined) return [`Could not convert JSON to LabelSelector: json: cannot unmarshal ${misfit}`];
  const errors: string[] = [];
  const labels = fieldAt(selector, 'matchLabels');
  for (const [key, value] of Object.entries(isRecord(labels) ? labels : {})) {
    if (!isLabelName(key)) errors.push(`${path}.matchLabels: Invalid value: ${goQuote(key)}: ${BAD_NAME}`);
    if (!isLabelValue(value)) {
      errors.push(`${path}.matchLabels: Invalid value: ${goQuote(String(value))}: ${BAD_VALUE}`);
    }
  }
  const expressions = fieldAt(selector, 'matchExpressions');
  for (const [at, expression] of (Array.isArray(expressions) ? expressions : []).entries()) {
    errors.push(...expressionErrors(expression, `${path}.matchExpressions[${at}]`));
  }
  return errors;
}

/** What of a selector has not even the right type, as Go's JSON says it. */
function misfitOf(selector: unknown): string | undefined {
  const labels = fieldAt(selector, 'matchLabels') ?? {};
  if (!isRecord(labels))
    return `${typeOf(labels)} into Go struct field LabelSelector.matchLabels of type map[string]string`;
  const label = Object.values(labels).find((value) => typeof value !== 'string' && value !== null);
  if (label !== undefined) return `${typeOf(label)} into Go struct field LabelSelector.matchLabels of type string`;
  const expressions = fieldAt(selector, 'matchExpressions') ?? [];
  if (Array.isArray(expressions)) return undefined;
  return `${typeOf(expressions)} into Go struct field LabelSelector.matchExpressions of type []v1.LabelSelectorRequirement`;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function expressionErrors(expression: unknown, path: string): string[] {
  const errors: string[] = [];
  const operator = textAt(expression, 'operator');
  const list = fieldAt(expression, 'values');
  const values: readonly unknown[] = Array.isArray(list) ? list : [];
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(`${path}.values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`);
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      errors.push(`${path}.values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`);
    }
  } else {
    errors.push(`${path}.operator: Invalid value: ${goQuote(operator)}: not a valid selector operator`);
  }
  const key = textAt(expression, 'key');
  if (!isLabelName(key)) errors.push(`${path}.key: Invalid value: ${goQuote(key)}: ${BAD_NAME}`);
  for (const [at, value] of values.entries()) {
    if (!isLabelValue(value)) {
      errors.push(`${path}.values[${at}]: Invalid value: ${goQuote(String(value))}: ${BAD_VALUE}`);
    }
  }
  return errors;
}

function isLabelName(key: string): boolean {
  const [first = '', second, ...rest] = key.split('/');
  if (rest.length > 0) return false;
  if (second === undefined) return NAME.test(first);
  return isSubdomain(first) && NAME.test(second);
}

function isLabelValue(value: unknown): boolean {
  return typeof value === 'string' && (value === '' || NAME.test(value));
}

/** A name as most Kubernetes objects must have. */
export function isSubdomain(text: string): boolean {
  return text.length <= 253 && SUBDOMAIN.test(text);
}
