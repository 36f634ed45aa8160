import { goQuote } from '../../constraints/go-quote.ts';
import { fieldAt, isRecord, textAt } from '../object.ts';

const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** What Kubernetes has against a label selector; empty when it can be used. */
export function selectorErrors(selector: unknown, path: string): readonly string[] {
  const errors: string[] = [];
  const labels = fieldAt(selector, 'matchLabels');
  for (const [key, value] of Object.entries(isRecord(labels) ? labels : {})) {
    if (!isLabelName(key)) errors.push(`${path}.matchLabels: Invalid value: ${goQuote(key)}: not a label name`);
    if (!isLabelValue(value)) {
      errors.push(`${path}.matchLabels: Invalid value: ${goQuote(String(value))}: not a label value`);
    }
  }
  const expressions = fieldAt(selector, 'matchExpressions');
  for (const [at, expression] of (Array.isArray(expressions) ? expressions : []).entries()) {
    errors.push(...expressionErrors(expression, `${path}.matchExpressions[${at}]`));
  }
  return errors;
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
  if (!isLabelName(key)) errors.push(`${path}.key: Invalid value: ${goQuote(key)}: not a label name`);
  for (const [at, value] of values.entries()) {
    if (!isLabelValue(value)) {
      errors.push(`${path}.values[${at}]: Invalid value: ${goQuote(String(value))}: not a label value`);
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
