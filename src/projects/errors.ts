import { CodedError } from '../platform/errors.ts';

export class ProjectError extends CodedError<
  | 'project_invalid'
  | 'project_exists'
  | 'project_unknown'
  | 'project_not_empty'
  | 'project_immutable'
  | 'quota_invalid'
  | 'upstream_invalid'
  | 'member_unknown'
  | 'policy_invalid'
  | 'policy_unknown'
  /** Another version waits, or the one meant never counted. */
  | 'policy_waiting'
> {}
