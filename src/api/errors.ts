import { CodedError } from '../platform/errors.ts';

export class ApiError extends CodedError<'request_invalid' | 'not_found' | 'too_large' | 'not_configured' | 'failed'> {}

/** HTTP status of every code that may leave the API; what is not here is 500. */
const STATUS: Readonly<Record<string, number>> = {
  request_invalid: 400,
  not_found: 404,
  too_large: 413,
  not_configured: 409,
  failed: 502,
  database_unavailable: 503,
  unauthenticated: 401,
  denied: 403,
  throttled: 429,
  name_invalid: 400,
  password_invalid: 400,
  user_exists: 409,
  user_unknown: 404,
  last_administrator: 409,
  link_invalid: 409,
  robot_invalid: 400,
  robot_exists: 409,
  robot_unknown: 404,
  rotation_open: 409,
  rights_exceeded: 403,
  secret_mistyped: 401,
  project_unknown: 404,
  project_invalid: 400,
  project_exists: 409,
  project_not_empty: 409,
  project_immutable: 409,
  quota_invalid: 400,
  retention_invalid: 409,
  upstream_invalid: 400,
  member_unknown: 404,
  policy_invalid: 400,
  /** Larger than a line of the ledger may be. */
  entry_invalid: 413,
  exception_invalid: 400,
  exception_unknown: 404,
  exception_state: 409,
  four_eyes: 403,
  source_invalid: 400,
  source_exists: 409,
  source_unknown: 404,
  source_state: 409,
  not_a_database: 400,
  wrong_schema: 400,
  damaged: 400,
  period_invalid: 400,
  evidence_too_large: 413,
  reference_invalid: 400,
  digest_invalid: 400,
  digest_unsupported: 400,
};

/** The status for anything thrown; undefined for what is a fault of ours. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof CodedError ? STATUS[String(error.code)] : undefined;
}
