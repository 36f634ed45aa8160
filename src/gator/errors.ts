import { CodedError } from '../platform/errors.ts';

/**
 * What stops gator, or one test or case of it. `constraint_schema` is the one that a test with `invalid: true` waits for;
 * `template_unknown` is ours alone: Rego we do not know is never judged.
 */
export class GatorError extends CodedError<
  | 'input_unreadable'
  | 'yaml_invalid'
  | 'suite_invalid'
  | 'regex_invalid'
  | 'template_invalid'
  | 'template_unknown'
  | 'constraint_invalid'
  | 'constraint_schema'
  | 'expansion_invalid'
  | 'case_invalid'
  | 'review_failed'
> {}

/** The texts gator puts before an error, so that scripts which look for them find the same. */
export const SAYS = {
  notTemplate: 'not a ConstraintTemplate',
  notConstraint: 'not a Constraint',
  notExpansion: 'not an Expansion Template',
  addingTemplate: 'adding template',
  addingConstraint: 'adding constraint',
  invalidSuite: 'invalid Suite',
  invalidCase: 'invalid Case',
  violations: 'unexpected number of violations',
  regex: 'message contains invalid regular expression',
  filter: 'invalid test filter',
  noObjects: 'missing objects',
  manyObjects: 'object file must contain exactly one object',
  inventory: 'unable to add object to data.inventory',
  validConstraint: 'constraint should have failed schema validation',
  notReview: 'not a valid AdmissionReview object',
  noRequest: 'missing an AdmissionRequest object',
  noObject: 'no object or oldObject found to review',
  yaml: 'invalid yaml',
  unmarshal: 'object or oldObject cannot be unmarshalled',
  schema: 'schema validation failed',
  invalidConstraint: 'invalid Constraint',
  invalidTemplate: 'invalid ConstraintTemplate',
  missingTemplate: 'missing ConstraintTemplate',
} as const;
