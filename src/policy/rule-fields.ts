import type { Rule } from '../model/verdict.ts';
import { FIELD_PATHS } from './policy-fields.ts';

/** The fields of a policy that make each rule; none where a rule does not come from one. */
const FIELDS: Readonly<Record<Rule, readonly string[]>> = {
  'severity-fixable': ['block.fixable', 'warn.fixable', 'graceDays.fixable'],
  'severity-unfixable': ['block.unfixable', 'warn.unfixable', 'graceDays.unfixable'],
  kev: ['kev.action', 'kev.graceDays', 'kev.overrules'],
  epss: ['epss.threshold', 'epss.action', 'epss.holdDays'],
  unscannable: ['unscannable'],
  unscanned: ['unscanned'],
  'end-of-life': ['endOfLife'],
  'advisory-age': ['advisoryAge.days', 'advisoryAge.action'],
  'advisory-sample': ['advisorySample'],
  'disallowed-tag': ['disallowedTags'],
  'digest-required': ['digestRequired'],
  quarantine: [],
  platform: ['strictIndex'],
  'not-runnable': [],
};

/** Fields of the policy behind some rules, by path, each once. */
export function fieldsBehind(rules: Iterable<Rule>): readonly string[] {
  const groups = [...new Set(rules)].flatMap((rule) => FIELDS[rule]);
  return FIELD_PATHS.filter((path) => groups.some((group) => path === group || path.startsWith(`${group}.`)));
}
